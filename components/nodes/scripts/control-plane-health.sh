#!/bin/sh
# Lets Rancher see the health of the scheduler and the controller manager on a control-plane node
# made by kubeadm, Kubernetes 1.21 or older: takes the argument --port=0 out of their two static pod
# manifests (ensure) and puts it back (remove). It changes that one line and nothing else, and it
# refuses where the line means nothing: from 1.22 on Rancher no longer asks these ports.
#
#   sh -s -- ensure
#   sh -s -- remove
#   sh -s -- check         refuses as ensure would, else tells which manifests have the argument;
#                          changes nothing
#
# The files as they were are kept in /var/lib/longhorn-rancher/manifests: the kubelet takes every
# file in its manifests folder for a pod, a copy there would start a second one. If a component does
# not answer after the change, its file is put back.
#
# Runs as root, reads nothing from its standard input. Progress goes to stderr, the result to stdout
# as one line of JSON. On failure: exit status 1, the reason on the last line of stderr.

set -eu
LC_ALL=C
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export LC_ALL PATH
umask 077

MANIFESTS=/etc/kubernetes/manifests
RECORDS=/var/lib/longhorn-rancher/manifests
RUN_DIRECTORY=/run/longhorn-rancher
COMPONENTS="kube-controller-manager kube-scheduler"
ARGUMENT='^[[:space:]]*- --port=0[[:space:]]*$'
LOCK_SECONDS=600
HEALTH_SECONDS=180
POLL_SECONDS=2

host=$(uname -n)

say() { printf '%s: %s\n' "$host" "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# COMPONENT -> the port that --port=0 closes
port_of() {
    case $1 in
        kube-controller-manager) echo 10252 ;;
        kube-scheduler) echo 10251 ;;
    esac
}

manifest_of() { printf '%s/%s.yaml' "$folder" "$1"; }

original_of() { printf '%s/%s.yaml.original' "$RECORDS" "$1"; }

has_systemd() { [ -d /run/systemd/system ]; }

# Old versions of sync know no arguments and write everything, which serves as well.
sync_path() { sync "$@" 2>/dev/null || sync; }

digest() { sha256sum | cut -d ' ' -f 1; }

# ---- what the manifests say -----------------------------------------------------------------

# FILE -> the numbers of its lines with the argument
argument_lines() { grep -n "$ARGUMENT" "$1" | cut -d : -f 1 || :; }

has_argument() { grep -q "$ARGUMENT" "$1"; }

# COMPONENT -> MAJOR.MINOR.PATCH of its image's tag; empty if it has none
version_of() {
    sed -n "s|^[[:space:]]*image:[[:space:]]*[\"']\{0,1\}[^[:space:]\"']*$1[^[:space:]\"':/]*:v\{0,1\}\([0-9][0-9]*\.[0-9][0-9]*\(\.[0-9][0-9]*\)\{0,1\}\).*|\1|p" "$(manifest_of "$1")" | head -n 1
}

# VERSION: is it 1.22 or newer?
means_nothing() {
    minor=${1#*.}
    minor=${minor%%.*}
    [ "${1%%.*}" -gt 1 ] || [ "$minor" -ge 22 ]
}

locate_folder() {
    folder=$(readlink -f "$MANIFESTS" 2>/dev/null) || folder=$MANIFESTS
    # Not in the manifests folder, on its file system, so that the last step is one rename.
    staging=$(dirname "$folder")
}

# COMPONENT: only a plain file whose server the change is meant for may be touched.
check_component() {
    manifest=$(manifest_of "$1")
    [ -e "$manifest" ] || die "$MANIFESTS/$1.yaml is not there, so this is no control-plane node made by kubeadm (RKE2 and K3s keep no such file). Nothing was changed. Set controlPlane: false for this node, or switch the stage controlPlaneHealth off"
    [ "$(stat -c %F "$manifest")" = "regular file" ] || die "$MANIFESTS/$1.yaml is not a regular file. Nothing was changed. Take the argument --port=0 out by hand, or switch the stage controlPlaneHealth off"
    version=$(version_of "$1")
    [ -n "$version" ] || die "$MANIFESTS/$1.yaml has no image of $1 with a version as its tag, so it cannot be told whether --port=0 still means something. Nothing was changed. Switch the stage controlPlaneHealth off"
    ! means_nothing "$version" || die "$1 is version $version; from Kubernetes 1.22 on Rancher no longer asks the port that --port=0 closes, so taking it out has no use. Nothing was changed. Switch the stage controlPlaneHealth off"
    lines=$(argument_lines "$manifest")
    case $lines in
        '') return ;;
        *[!0-9]*) die "$MANIFESTS/$1.yaml has the line \"- --port=0\" more than once (lines $(echo "$lines" | tr '\n' ' ' | sed 's/ $//')). Nothing was changed. Take all but one out by hand, then run again" ;;
    esac
    is_item_among_others "$manifest" "$lines" || die "$MANIFESTS/$1.yaml: line $lines, \"- --port=0\", does not follow another argument of the same list, so taking it out could break the file. Nothing was changed. Take it out by hand, then run again"
    [ "$(findmnt -nro TARGET -T "$folder")" = "$(findmnt -nro TARGET -T "$staging")" ] || die "$folder is a mount of its own, so its files cannot be replaced in one step. Nothing was changed. Take \"- --port=0\" out by hand, then run again"
}

# FILE NUMBER: does the line before it, comments aside, belong to the same list?
is_item_among_others() {
    awk -v number="$2" '
        NR == number { match($0, /^[ \t]*/); found = substr($0, 1, RLENGTH); exit found == before && item ? 0 : 1 }
        /^[ \t]*(#|$)/ { next }
        { match($0, /^[ \t]*/); before = substr($0, 1, RLENGTH); item = substr($0, RLENGTH + 1, 2) == "- " }
    ' "$1"
}

# ---- replacing a manifest -------------------------------------------------------------------

# WITHOUT NUMBER FILE: is WITHOUT the FILE less its line NUMBER, byte for byte?
is_less_one_line() {
    put_back=$({ head -n "$(($2 - 1))" "$1" && sed -n "$2p" "$3" && tail -n "+$2" "$1"; } | digest)
    [ "$put_back" = "$(digest <"$3")" ] && [ "$(digest <"$1")" != "$(digest <"$3")" ]
}

# WITHOUT FILE: where this host can read YAML, the two must mean the same but for --port=0.
means_the_same() {
    python3 -c 'import yaml' >/dev/null 2>&1 || return 0
    python3 -c '
import sys, yaml

def less(value):
    if isinstance(value, list):
        return [less(each) for each in value if each != "--port=0"]
    if isinstance(value, dict):
        return {key: less(each) for key, each in value.items()}
    return value

without, before = (list(yaml.safe_load_all(open(name))) for name in sys.argv[1:])
sys.exit(0 if without == less(before) and without != before else 1)
' "$1" "$2" >&2
}

staged_of() { printf '%s/.%s.yaml.longhorn-rancher' "$staging" "$1"; }

# COMPONENT: an empty file with the owner, the mode and the security label of the manifest
stage() {
    staged=$(staged_of "$1")
    rm -f "$staged"
    cp -a "$(manifest_of "$1")" "$staged"
    : >"$staged"
}

# COMPONENT: the staged file takes the manifest's place.
install_staged() {
    sync_path "$staged"
    mv -f "$staged" "$manifest" || die "$manifest cannot be replaced: is its file system read-only?"
    sync_path "$folder"
}

mark_begun() {
    mkdir -p "$RECORDS"
    : >"$RECORDS/begun"
    sync_path "$RECORDS"
}

keep_original() {
    original=$(original_of "$1")
    cp -a "$manifest" "$original.new"
    sync_path "$original.new"
    mv -f "$original.new" "$original"
    sync_path "$RECORDS"
}

# COMPONENT: takes the line out if it is there.
take_out() {
    manifest=$(manifest_of "$1")
    number=$(argument_lines "$manifest")
    [ -n "$number" ] || return 0
    say "$1: taking --port=0 out of $manifest"
    mark_begun
    keep_original "$1"
    stage "$1"
    sed "${number}d" "$original" >"$staged"
    if ! is_less_one_line "$staged" "$number" "$original" || ! means_the_same "$staged" "$original"; then
        rm -f "$staged" "$original"
        die "$manifest: without line $number, \"- --port=0\", it would not be the same in all else. Nothing was changed in it. Take the line out by hand, then run again"
    fi
    install_staged
}

# COMPONENT: the manifest as it was before, if nobody changed it since; else the line alone goes
# back, after the line that it followed. Does nothing where the line is there.
put_back() {
    manifest=$(manifest_of "$1") original=$(original_of "$1")
    ! has_argument "$manifest" || return 0
    number=$(argument_lines "$original")
    if [ "$(sed "${number}d" "$original" | digest)" = "$(digest <"$manifest")" ]; then
        say "$1: putting $manifest back as it was"
        mark_begun
        stage "$1"
        cat "$original" >"$staged"
    else
        line=$(sed -n "${number}p" "$original")
        after=$(anchor_line)
        [ -n "$after" ] || die "$manifest was changed since, and the place of \"- --port=0\" is not there any more. Put it back by hand if it is wanted, and delete $original"
        say "$1: putting --port=0 back into $manifest, which was changed since"
        mark_begun
        stage "$1"
        { head -n "$after" "$manifest" && printf '%s\n' "$line" && tail -n "+$((after + 1))" "$manifest"; } >"$staged"
        if ! is_less_one_line "$manifest" "$((after + 1))" "$staged" || ! means_the_same "$manifest" "$staged"; then
            rm -f "$staged"
            die "$manifest was changed since, so \"- --port=0\" cannot be put back without changing more. Put it back by hand if it is wanted, and delete $original"
        fi
    fi
    install_staged
}

# The number of the manifest's one line that is equal to the nearest argument before ours in the
# original; empty if there is none.
anchor_line() {
    candidate=$number
    indentation=${line%%-*}
    while [ "$candidate" -gt 1 ]; do
        candidate=$((candidate - 1))
        text=$(sed -n "${candidate}p" "$original")
        case $text in
            "$indentation- "*) ;;
            *) continue ;;
        esac
        # The exit status says only whether there is one.
        found=$(grep -nxF -e "$text" "$manifest" | cut -d : -f 1 || :)
        case $found in
            '' | *[!0-9]*) continue ;;
        esac
        echo "$found"
        return
    done
}

# ---- the kubelet and the components ---------------------------------------------------------

# The kubelet sees a changed manifest by itself; started anew it does so at once.
restart_kubelet() {
    if has_systemd && systemctl is-active --quiet kubelet; then
        say "restarting the kubelet"
        systemctl restart kubelet >&2 || say "warning: systemctl restart kubelet failed, see above; waiting for the kubelet to see the change by itself"
    fi
}

# PORT: does something listen there?
listens() {
    hexadecimal=$(printf '%04X' "$1")
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$hexadecimal" '
        $4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
        END { exit found ? 0 : 1 }'
}

# PORT: sets health to what can be told about it: ok, listening (no curl and no wget here), or no
ask_health() {
    health=no
    url=http://127.0.0.1:$1/healthz
    if command -v curl >/dev/null; then
        [ "$(curl -fsS --noproxy '*' --max-time 5 "$url" 2>/dev/null)" != ok ] || health=ok
    elif command -v wget >/dev/null; then
        [ "$(env -u http_proxy wget -q -T 5 -O - "$url" 2>/dev/null)" != ok ] || health=ok
    else
        ! listens "$1" || health=listening
    fi
}

# COMPONENT: waits until it answers; sets health. Fails when it does not in time.
wait_for_health() {
    deadline=$(($(date +%s) + HEALTH_SECONDS))
    waited=no
    while :; do
        ask_health "$(port_of "$1")"
        [ "$health" = no ] || return 0
        [ "$(date +%s)" -lt "$deadline" ] || return 1
        [ "$waited" = yes ] || say "$1: waiting until it answers on 127.0.0.1:$(port_of "$1"), for at most $HEALTH_SECONDS seconds"
        waited=yes
        sleep "$POLL_SECONDS"
    done
}

# COMPONENT: waits until the port is closed, as a component started with --port=0 has it.
wait_for_closed() {
    deadline=$(($(date +%s) + HEALTH_SECONDS))
    while listens "$(port_of "$1")"; do
        [ "$(date +%s)" -lt "$deadline" ] || {
            say "warning: $1 still listens on port $(port_of "$1") after $HEALTH_SECONDS seconds. Look at: systemctl status kubelet"
            return 0
        }
        sleep "$POLL_SECONDS"
    done
}

# COMPONENT: it does not answer. What this program has begun is undone; what it found is left.
give_up() {
    if [ ! -e "$RECORDS/begun" ]; then
        die "$1 does not answer on 127.0.0.1:$(port_of "$1"), though its manifest has no --port=0. Nothing was changed. Look at its pod's log in kube-system"
    fi
    for each in $COMPONENTS; do
        [ ! -e "$(original_of "$each")" ] || put_back "$each"
    done
    restart_kubelet
    drop_records
    die "$1 did not answer on 127.0.0.1:$(port_of "$1") within $HEALTH_SECONDS seconds after --port=0 was taken out. The manifests are as they were. Look at systemctl status kubelet and at its pod's log in kube-system, then run again"
}

drop_records() {
    for each in $COMPONENTS; do
        rm -f "$(original_of "$each")" "$(original_of "$each").new" "$(staged_of "$each")"
    done
    rm -f "$RECORDS/begun"
    rmdir "$RECORDS" 2>/dev/null || :
}

# ---- actions --------------------------------------------------------------------------------

ensure() {
    for component in $COMPONENTS; do
        check_component "$component"
    done
    for component in $COMPONENTS; do
        take_out "$component"
        rm -f "$(staged_of "$component")"
    done
    say "warning: the scheduler and the controller manager answer on ports 10251 and 10252 without a login, on every address of this node unless their manifests say --address. Let a firewall keep others out, and switch the stage controlPlaneHealth off with the upgrade to Kubernetes 1.22"
    # Until both answer, a killed run counts as begun, and the next one looks again.
    [ ! -e "$RECORDS/begun" ] || restart_kubelet
    answer=
    for component in $COMPONENTS; do
        wait_for_health "$component" || give_up "$component"
        answer="$answer${answer:+,}\"$component\":\"$health\""
    done
    rm -f "$RECORDS/begun"
    printf '{"kubernetes":"%s","health":{%s}}\n' "$version" "$answer"
}

check() {
    closed=
    for component in $COMPONENTS; do
        check_component "$component"
        ! has_argument "$(manifest_of "$component")" || closed="$closed${closed:+,}\"$component\""
    done
    printf '{"kubernetes":"%s","closed":[%s]}\n' "$version" "$closed"
}

remove() {
    for component in $COMPONENTS; do
        manifest=$(manifest_of "$component") original=$(original_of "$component")
        [ -e "$original" ] || continue
        if [ ! -e "$manifest" ]; then
            say "$component: $manifest is gone, so nothing is put back"
            continue
        fi
        version=$(version_of "$component")
        if [ -n "$version" ] && means_nothing "$version"; then
            # Later versions do not know the argument at all, and would not start with it.
            say "$component is version $version by now; --port=0 is not put back"
            continue
        fi
        [ -n "$(argument_lines "$original")" ] || die "$original is damaged: it has no line \"- --port=0\". Put that back by hand if it is wanted, and delete the file"
        put_back "$component"
    done
    if [ -e "$RECORDS/begun" ]; then
        restart_kubelet
        for component in $COMPONENTS; do
            manifest=$(manifest_of "$component")
            [ ! -e "$manifest" ] || ! has_argument "$manifest" || wait_for_closed "$component"
        done
    fi
    drop_records
    printf '{"removed":true}\n'
}

main() {
    case ${1-} in
        ensure | remove | check) ;;
        *) die "usage: control-plane-health.sh ensure | remove | check" ;;
    esac
    [ "$(id -u)" = 0 ] || die "changing $MANIFESTS needs root: log in as root, or as a user with sudo"
    locate_folder
    if [ "$1" = check ]; then
        check
        return
    fi
    mkdir -p "$RUN_DIRECTORY"
    exec 9>"$RUN_DIRECTORY/control-plane.lock"
    flock -x -w "$LOCK_SECONDS" 9 || die "another run changes the control plane's manifests since $LOCK_SECONDS seconds ($RUN_DIRECTORY/control-plane.lock). End it, then run again"
    "$1"
}

main "$@" </dev/null
