# shellcheck shell=sh disable=SC2034,SC2154
# How large the file system of a disk is, beside the disk itself. Everything here looks.

# Less than this may be too little for one more group of blocks, and resize2fs and xfs_growfs leave it.
LEAST_GROWTH=$((64 * MIB))

# Sets file_system_bytes; 0 where there is none, or nothing here tells.
read_file_system_size() {
    file_system_bytes=0
    case $content in
        own | adopted) ;;
        *) return 0 ;;
    esac
    # shellcheck disable=SC2046 # the words are the numbers
    case $file_system:$mounted in
        ext4:*) set -- $(dumpe2fs -h "$disk" 2>/dev/null | sed -n -e 's/^Block count: *//p' -e 's/^Block size: *//p') ;;
        # What is on the disk of a mounted xfs is behind what the kernel knows.
        xfs:yes) set -- $(xfs_info "$mount_point" 2>/dev/null | sed -n 's/^data .*bsize=\([0-9]*\) *blocks=\([0-9]*\).*/\1 \2/p') ;;
        *)
            # sb_blocksize and sb_dblocks, big-endian
            superblock=$(dd if="$disk" bs=1 skip=4 count=12 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
            set -- "0x$(printf '%s' "$superblock" | cut -c 1-8)" "0x$(printf '%s' "$superblock" | cut -c 9-24)" ;;
    esac
    [ $# -ne 2 ] || file_system_bytes=$(($1 * $2))
}

# A disk that got smaller has lost the end of its file system: mounting it could only make that worse.
refuse_shrunk_disk() {
    [ "$file_system_bytes" -le "$size" ] ||
        refuse "$device has $size bytes, and the file system on it has $file_system_bytes: the disk got smaller" "Give the disk its former size again before anything else is done with it"
}

# Has the disk room that the file system does not use? One whose size was asked for keeps it.
can_grow() {
    [ "$file_system_bytes" -gt 0 ] && [ $((size - file_system_bytes)) -ge "$LEAST_GROWTH" ] &&
        ! printf '%s' "$mkfs_options" | grep -Eq -- '-d ?([^ ]*,)?size='
}
