# shellcheck shell=sh disable=SC2034,SC2154
# Gives the disk to Longhorn: formatted if it is blank, mounted by its UUID, in fstab, its file system
# as large as it is. Killed at any point, the next run completes the work.

# The same for a disk that this stack has mounted elsewhere. Longhorn has let go of it there: whoever
# asks for this has seen to that, and a mount that is in use can't be ended.
move() { ensure; }

leave_other_mount() {
    moved_by=$(recorded_at owner "$moved_from")
    [ "${moved_by%% *}" = "${owner%% *}" ] || refuse "$device is mounted on $moved_from by $moved_by" "Remove it there first"
    say "$device: leaving $moved_from for $mount_point"
    umount "$moved_from" >&2 || die "$device: $moved_from cannot be unmounted. In use by: $(users_of "$moved_from"). Drain the node, or end these, then run again"
    UNTOUCHED="The disk was unmounted from $moved_from, nothing else was changed."
}

# Nothing can be written to a disk that is gone, so whoever still has files open there loses nothing.
leave_vanished_disk() {
    say "$device: ending the mount of a disk that is gone on $mount_point"
    umount "$mount_point" >&2 || umount -l "$mount_point" >&2 || die "$device: $mount_point cannot be unmounted, see above. Restart the host, then run again"
    UNTOUCHED="The mount of the disk that is gone was ended, nothing else was changed."
    look_at_mount_point
}

ensure() {
    check_request
    require_disk
    follow_exchanged_name
    lock_disk
    examine
    formatted=false
    [ -z "$moved_from" ] || leave_other_mount
    while [ "$vanished" = yes ]; do leave_vanished_disk; done
    case $content in
        blank | unfinished)
            require_one_entry
            format_disk ;;
    esac
    keep_owner_record "$(recorded options)"
    drop_formatting_record
    if [ "$mounted" = no ]; then
        wait_for_udev
        require_unique_uuid
    fi
    mkdir -p "$mount_point"
    make_directory_immutable
    [ "$mounted" = no ] || try_mount_options
    write_fstab "$(wanted_fstab_line)" 'ours elsewhere'
    keep_owner_record "$(fstab_options "$mount_options")"
    [ -z "$users_line" ] || say "$mount_point: the line of /etc/fstab stays as it is: $users_line"
    [ "$mounted" = yes ] || mount_disk
    verify_mount
    grow_file_system
    printf '{"device":%s,"uuid":%s,"fileSystem":%s,"sizeBytes":%s,"mountPoint":%s,"immutable":%s,"formatted":%s}\n' \
        "$(json_string "$device")" "$(json_string "$uuid")" "$(json_string "$file_system")" "$size" \
        "$(json_string "$mount_point")" "$immutable" "$formatted"
}
