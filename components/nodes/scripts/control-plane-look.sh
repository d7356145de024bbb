# shellcheck shell=sh disable=SC2034,SC2154
# What the two static pod manifests of scheduler and controller manager say, and what stands in the
# way of changing them. Everything here looks, and nothing writes: a preview sends this.

MANIFESTS=/etc/kubernetes/manifests
RECORDS=/var/lib/longhorn-rancher/manifests
COMPONENTS="kube-controller-manager kube-scheduler"
ARGUMENT='^[[:space:]]*- --port=0[[:space:]]*$'
OR_SWITCH_OFF="switch the stage controlPlaneHealth off"

folder=$(readlink -f "$MANIFESTS" 2>/dev/null) || folder=$MANIFESTS
# Not in the manifests folder, on its file system, so that the last step is one rename.
staging=$(dirname "$folder")

manifest_of() { printf '%s/%s.yaml' "$folder" "$1"; }

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

# COMPONENT: only a plain file whose server the change is meant for may be touched.
check_component() {
    manifest=$(manifest_of "$1")
    [ -e "$manifest" ] || refuse "$MANIFESTS/$1.yaml is not there, so this is no control-plane node made by kubeadm (RKE2 and K3s keep no such file)" "Set controlPlane: false for this node, or $OR_SWITCH_OFF"
    [ "$(stat -c %F "$manifest")" = "regular file" ] || refuse "$MANIFESTS/$1.yaml is not a regular file" "Take the argument --port=0 out by hand, or $OR_SWITCH_OFF"
    version=$(version_of "$1")
    [ -n "$version" ] || refuse "$MANIFESTS/$1.yaml has no image of $1 with a version as its tag, so it cannot be told whether --port=0 still means something" "Best $OR_SWITCH_OFF"
    ! means_nothing "$version" || refuse "$1 is version $version; from Kubernetes 1.22 on Rancher no longer asks the port that --port=0 closes, so taking it out has no use" "Switch the stage controlPlaneHealth off"
    lines=$(argument_lines "$manifest")
    case $lines in
        '') return ;;
        *[!0-9]*) refuse "$MANIFESTS/$1.yaml has the line \"- --port=0\" more than once (lines $(echo "$lines" | tr '\n' ' ' | sed 's/ $//'))" "Take all but one out by hand, then run again" ;;
    esac
    is_item_among_others "$manifest" "$lines" || refuse "$MANIFESTS/$1.yaml: line $lines, \"- --port=0\", does not follow another argument of the same list, so taking it out could break the file" "Take it out by hand, then run again"
    [ "$(findmnt -nro TARGET -T "$folder")" = "$(findmnt -nro TARGET -T "$staging")" ] || refuse "$folder is a mount of its own, so its files cannot be replaced in one step" "Take \"- --port=0\" out by hand, then run again"
}

# FILE NUMBER: does the line before it, comments aside, belong to the same list?
is_item_among_others() {
    awk -v number="$2" '
        NR == number { match($0, /^[ \t]*/); found = substr($0, 1, RLENGTH); exit found == before && item ? 0 : 1 }
        /^[ \t]*(#|$)/ { next }
        { match($0, /^[ \t]*/); before = substr($0, 1, RLENGTH); item = substr($0, RLENGTH + 1, 2) == "- " }
    ' "$1"
}

# Refuses as ensure would, else tells which manifests have the argument.
check() {
    refusals=json
    closed=
    for component in $COMPONENTS; do
        check_component "$component"
        ! has_argument "$(manifest_of "$component")" || closed="$closed${closed:+,}\"$component\""
    done
    printf '{"kubernetes":"%s","closed":[%s]}\n' "$version" "$closed"
}
