#!/bin/sh
# Checks a volume from inside a pod: that it keeps what is written (write in one pod, read in
# another) and that it is strict about its size. Needs nothing that the busybox image lacks.
#
#   sh volume-check.sh write DIRECTORY TEXT SIZE_IN_BYTES
#   sh volume-check.sh read DIRECTORY TEXT
#
# write puts TEXT in DIRECTORY/SUCCESS, then fills the volume until it takes no more, and clears the
# filler away. SIZE_IN_BYTES is the size that the volume was given: a bigger one is not the volume
# that was asked for, or not a volume at all, and is never filled. The result is one line of JSON on
# stdout: bytes that could be written or were read, and seconds. On failure: exit status 1, the
# reason on stderr.

set -eu
LC_ALL=C
export LC_ALL

MIB=1048576

say() { printf 'volume check: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

require_directory() {
    [ -d "$directory" ] || die "$directory is not a directory: is the volume mounted in this pod?"
}

# Sets capacity: the bytes that the file system has for data, as it says itself.
read_capacity() {
    capacity=$(df -P -k "$directory" | tail -n 1 | awk '{ print $(NF - 4) }')
    capacity=$((capacity * 1024))
    [ "$capacity" -gt 0 ] || die "$directory says that it has no room at all"
    [ "$capacity" -le "$size" ] ||
        die "$directory has room for $capacity bytes, but the volume was given $size. Something else is mounted there, or the volume's size is not kept"
}

remove_filler() { rm -f "$directory/filler"; }

# Writes one mebibyte more than the volume has; that has to fail, and for want of space only.
overfill() {
    say "filling $capacity bytes and $MIB more"
    blocks=$(((capacity + MIB) / 65536 + 1))
    if complaint=$(dd if=/dev/zero of="$directory/filler" bs=65536 count="$blocks" conv=fsync 2>&1); then
        die "$directory took $((blocks * 65536)) bytes although its size is $capacity: its size is not kept"
    fi
    case $complaint in
        *"No space left on device"* | *"Disk quota exceeded"*) ;;
        *) die "filling $directory failed for another reason than its size: $(printf '%s' "$complaint" | tr '\n' ' ')" ;;
    esac
    bytes=$(wc -c <"$directory/filler")
}

check_text() {
    [ -f "$directory/SUCCESS" ] || die "$directory/SUCCESS is not there: nothing of what was written arrived here"
    [ "$(cat "$directory/SUCCESS")" = "$text" ] || die "$directory/SUCCESS does not hold what was written to it"
}

write() {
    case $size in
        '' | *[!0-9]*) die "usage: volume-check.sh write DIRECTORY TEXT SIZE_IN_BYTES" ;;
    esac
    require_directory
    # A run that was killed may have left the volume full.
    remove_filler
    read_capacity
    printf '%s\n' "$text" >"$directory/SUCCESS"
    trap remove_filler EXIT
    overfill
    remove_filler
    sync
    check_text
}

read_back() {
    require_directory
    check_text
    bytes=$(wc -c <"$directory/SUCCESS")
}

main() {
    action=${1-} directory=${2-} text=${3-} size=${4-}
    start=$(date +%s)
    case $action in
        write) write ;;
        read) read_back ;;
        *) die "usage: volume-check.sh write DIRECTORY TEXT SIZE_IN_BYTES | read DIRECTORY TEXT" ;;
    esac
    printf '{"bytes":%d,"seconds":%d}\n' "$bytes" "$(($(date +%s) - start))"
}

main "$@"
