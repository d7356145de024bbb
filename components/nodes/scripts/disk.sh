# shellcheck shell=sh disable=SC2034
# Gives one disk of a node to Longhorn (ensure; move, where this stack has it mounted elsewhere), takes
# it back (remove), or tells what ensure would find (check). It comes last, behind disk-look.sh and
# disk-size.sh, and for ensure, move and remove behind their own files.
#
#   sh -s -- 'ACTION [beside DEVICE...]' DEVICE MOUNT_POINT FILE_SYSTEM [ADOPT_UUID [OWNER [MOUNT_OPTIONS [MKFS_OPTIONS]]]]
#
# beside         the other disks of the node, none of which may be this one by another name
# DEVICE         a whole disk: /dev/sdb, or better a link such as /dev/disk/by-id/...
# MOUNT_POINT    absolute path without symbolic links, of letters, digits and . _ @ + -
# FILE_SYSTEM    ext4 or xfs
# ADOPT_UUID     UUID of a file system made by someone else that is to be used with its data
# OWNER          stack and resource that have the mount; the last one that made sure of it counts
# MOUNT_OPTIONS  as in fstab; nofail is added
# MKFS_OPTIONS   for mkfs.ext4 or mkfs.xfs, used on a blank disk alone
main() {
    action=${1-}
    case $action in *' beside '*) beside=${action#* beside } ;; *) beside= ;; esac
    action=${action%% *} device=${2-} mount_point=${3-} file_system=${4-}
    adopt_uuid=$(printf '%s' "${5-}" | tr '[:upper:]' '[:lower:]')
    owner=${6-} mount_options=${7-} mkfs_options=${8-}
    case $action in
        ensure | move | check | remove) "$action" ;;
        *) die "usage: disk.sh ensure|move|check|remove DEVICE MOUNT_POINT FILE_SYSTEM [ADOPT_UUID [OWNER [MOUNT_OPTIONS [MKFS_OPTIONS]]]]" ;;
    esac
}

main "$@" </dev/null
