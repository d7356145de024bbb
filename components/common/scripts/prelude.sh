#!/bin/sh
# What every host script begins with. A script is joined from this file and its own parts, and runs
# by `sh -s` as root; progress goes to stderr, the result to stdout as one line of JSON. On failure:
# exit status 1, the reason on the last line of stderr.

set -eu
LC_ALL=C
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export LC_ALL PATH
umask 022

host=$(uname -n)
# A preview asks for refusals as JSON, since they are its answer; for a run they are its failure.
refusals=text
# What a run has changed by now, for its refusals.
UNTOUCHED="Nothing was changed."

say() { printf '%s: %s\n' "$host" "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# FOUND REMEDY [MISSING_COMMAND [ASKED]]: ends the script, since what was found stands in the way, or,
# with ASKED, since nothing is wrong and what was asked for can't be done.
refuse() {
    [ "$refusals" = json ] || die "$1. $UNTOUCHED $2"
    printf '{"found":%s,"remedy":%s,"missingCommand":%s,"isAsked":%s}\n' "$(json_string "$1")" "$(json_string "$2")" "$(json_or_null "${3-}")" "$(json_boolean [ -n "${4-}" ])"
    exit 0
}

# TEXT -> the text as a JSON string of ASCII; a byte beyond ASCII becomes the replacement character.
json_string() {
    # Nearly every text is plain, and three processes for each would be most of what a look costs.
    case $1 in
        *[!\ -~]* | *[\"\\]*) ;;
        *)
            printf '"%s"' "$1"
            return
            ;;
    esac
    printf '%s' "$1" | od -An -v -tu1 | awk '
        BEGIN { printf "\"" }
        {
            for (i = 1; i <= NF; i++)
                if ($i == 34 || $i == 92) printf "\\%c", $i
                else if ($i < 32) printf "\\u%04x", $i
                else if ($i < 128) printf "%c", $i
                else printf "\\ufffd"
        }
        END { printf "\"" }'
}

# TEXT -> the text as a JSON string, or null for none
json_or_null() { if [ -n "$1" ]; then json_string "$1"; else printf null; fi; }

# COMMAND... -> true or false, as the command says
json_boolean() { if "$@" >/dev/null 2>&1; then printf true; else printf false; fi; }

has_systemd() { [ -d /run/systemd/system ]; }

# Old versions of sync know no arguments and write everything, which serves as well.
sync_path() { sync "$@" 2>/dev/null || sync; }
