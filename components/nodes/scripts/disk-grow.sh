# shellcheck shell=sh disable=SC2154
# Lets the mounted file system have all of a disk that got larger. Both tools work while it is in use;
# broken off, the file system is sound with what it has by then, and the next run goes on.
grow_file_system() {
    read_file_system_size
    can_grow || return 0
    say "$device: growing the file system from $file_system_bytes to $size bytes"
    case $file_system in
        ext4) set -- resize2fs "$disk" ;;
        xfs) set -- xfs_growfs -d "$mount_point" ;;
    esac
    "$@" >&2 || die "$device: $1 failed, see above and dmesg. The file system keeps its size and works on; run again once the cause is gone"
    read_file_system_size
    ! can_grow || die "$device: $1 ended well, and the file system has $file_system_bytes of $size bytes all the same. Look at dmesg"
}
