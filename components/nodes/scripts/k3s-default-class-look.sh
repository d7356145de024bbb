# shellcheck shell=sh disable=SC2034,SC2154
# Whether K3s makes local-path the default StorageClass again when it starts here: a server of it does,
# from the manifest that it writes itself, unless a file `.skip` lies beside that (K3s's documentation,
# "Managing Packaged Components"). Everything here looks, and nothing writes: a preview sends this.

CONFIGURATION=/etc/rancher/k3s/config.yaml
UNIT=/etc/systemd/system/k3s.service
OURS='# longhorn-rancher: '

# -> where K3s keeps its data: its option counts before its files, of which the last one does
data_folder() {
    {
        cat "$CONFIGURATION" "$CONFIGURATION".d/*.yaml 2>/dev/null | sed -n 's/^data-dir:/--data-dir /p'
        cat "$UNIT" 2>/dev/null
    } | tr "='\"\\\\\t\r\n" ' ' | awk '
        BEGIN { folder = "/var/lib/rancher/k3s" }
        { for (i = 1; i < NF; i++) if (($i == "--data-dir" || $i == "-d") && $(i + 1) ~ /^\//) folder = $(i + 1) }
        END { print folder }'
}

# Sets manifest to the file from which K3s makes it the default; empty where it does not.
find_manifest() {
    manifest=$(data_folder)/server/manifests/local-storage.yaml
    skip=$manifest.skip
    grep -qs 'is-default-class: *"\{0,1\}true' "$manifest" || manifest=
}

# Was the file that keeps K3s from it made by this program?
skip_is_ours() { [ -f "$skip" ] && grep -qs "^$OURS" "$skip"; }

tell() { printf '{"manifest":%s,"skipped":%s}\n' "$(json_or_null "$manifest")" "$(json_boolean [ -e "$skip" ])"; }

check() {
    find_manifest
    tell
}
