#!/bin/sh
# Checks a volume from inside a pod: that it keeps what is written (write in one pod, read in
# another) and that it is strict about its size. Needs nothing that the busybox image lacks.
#
#   sh volume-check.sh write DIRECTORY TEXT SIZE_IN_BYTES
#   sh volume-check.sh read DIRECTORY TEXT
#   sh volume-check.sh store DIRECTORY
#   sh volume-check.sh hash DIRECTORY
#
# write puts TEXT in DIRECTORY/SUCCESS, then fills the volume until it takes no more, and clears the
# filler away. SIZE_IN_BYTES is the size that the volume was given: a bigger one is not the volume
# that was asked for, or not a volume at all, and is never filled. store fills DIRECTORY/DATA with
# random bytes, half of the volume's room or MOST_MIB at most; hash reads them. The result is one line
# of JSON on stdout: bytes that could be written or were read, seconds, and for store and hash their
# SHA-256. On failure: exit status 1, the reason on stderr.

set -eu
LC_ALL=C
export LC_ALL

MIB=1048576
# As much as says something about the way to a backup and back, and no more.
MOST_MIB=64

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
}

require_capacity() {
    read_capacity
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
    require_capacity
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

store() {
    require_directory
    read_capacity
    blocks=$((capacity / 65536 / 2))
    [ "$blocks" -le $((MOST_MIB * 16)) ] || blocks=$((MOST_MIB * 16))
    complaint=$(dd if=/dev/urandom of="$directory/DATA" bs=65536 count="$blocks" conv=fsync 2>&1) ||
        die "$directory/DATA could not be written: $(printf '%s' "$complaint" | tr '\n' ' ')"
    sync
    hash_data
}

hash_data() {
    require_directory
    [ -f "$directory/DATA" ] || die "$directory/DATA is not there: nothing of what was stored arrived here"
    bytes=$(wc -c <"$directory/DATA")
    sum=$(sha256sum "$directory/DATA") || die "$directory/DATA could not be read"
    sum=${sum%% *}
}

main() {
    sum=''
    action=${1-} directory=${2-} text=${3-} size=${4-}
    start=$(date +%s)
    case $action in
        write) write ;;
        read) read_back ;;
        store) store ;;
        hash) hash_data ;;
        *) die "usage: volume-check.sh write DIRECTORY TEXT SIZE_IN_BYTES | read DIRECTORY TEXT | store DIRECTORY | hash DIRECTORY" ;;
    esac
    printf '{"bytes":%d,"seconds":%d%s}\n' "$bytes" "$(($(date +%s) - start))" "${sum:+,\"sha256\":\"$sum\"}"
}

main "$@"
