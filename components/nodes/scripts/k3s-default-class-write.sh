# shellcheck shell=sh disable=SC2034,SC2154
# Puts the file `.skip` beside the manifest (ensure), and takes it away again where it is this stack's
# own (remove). What is deployed stays as it is either way, and K3s is not restarted.

# The file appears with its text, or not at all: an empty one would count as somebody else's. K3s reads
# no file whose name begins with a dot.
write_skip() {
    staged=${skip%/*}/.longhorn-rancher
    printf '%s%s\n' "$OURS" "$owner" >"$staged"
    sync_path "$staged"
    mv -f "$staged" "$skip" || die "$skip cannot be written: is its file system read-only?"
    sync_path "${skip%/*}"
}

ensure() {
    find_manifest
    [ -z "$manifest" ] || { [ -e "$skip" ] && ! skip_is_ours; } || write_skip
    tell
}

remove() {
    find_manifest
    if skip_is_ours && [ "$(cat "$skip")" = "$OURS$owner" ]; then
        rm -f "$skip"
        say "K3s makes local-path the default StorageClass again when it starts"
    fi
    echo '{"removed":true}'
}
