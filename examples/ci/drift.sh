#!/bin/sh
# Ends with 1 when something is no longer as the last `up` left it, or as the stack file says, and
# says in a few lines what. So it does when a host, the cluster or Rancher could not be looked at:
# then nobody knows. Changes nothing: it reads the hosts, the cluster and the Docker host.
#
#   sh examples/ci/drift.sh STACK
set -eu

stack=$1
report=$(mktemp)
trap 'rm -f "$report"' EXIT

title="Stack $stack is not as its file says"
if pulumi preview --stack "$stack" --refresh --expect-no-changes --non-interactive --color never >"$report" 2>&1; then
    if ! grep -qE 'could not be (read|asked|looked (at|for)|compared)' "$report"; then
        echo "Stack $stack is as its file says."
        exit 0
    fi
    title="Nobody knows whether stack $stack is as its file says"
fi
{
    echo "## $title"
    echo
    echo '```'
    # The resources that would change, then what the program and the engine say of them.
    grep -E '^ *(~|[+-]+) +[^ ]+:[^ ]+ ' "$report" | grep -v ' refreshing ' | sort -u || :
    sed -n '/^Diagnostics:/,$p' "$report" | grep -v 'warning: using pulumi-' || tail -n 40 "$report"
    echo '```'
} | tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
exit 1
