# shellcheck shell=sh disable=SC2034,SC2154
# Gives the disk to Longhorn: formatted if it is blank, mounted by its UUID, in fstab. Killed at any
# point, the next run completes the work.
ensure() {
    check_request
    require_disk
    follow_exchanged_name
    lock_disk
    examine
    formatted=false
    case $content in
        blank | unfinished) format_disk ;;
    esac
    keep_owner_record "$(recorded options)"
    drop_formatting_record
    if [ "$mounted" = no ]; then
        wait_for_udev
        require_unique_uuid
    fi
    mkdir -p "$mount_point"
    make_directory_immutable
    write_fstab "$(wanted_fstab_line)" 'ours elsewhere'
    keep_owner_record "$(fstab_options "$mount_options")"
    [ -z "$users_line" ] || say "$mount_point: the line of /etc/fstab stays as it is: $users_line"
    [ "$mounted" = yes ] || mount_disk
    verify_mount
    printf '{"device":%s,"uuid":%s,"fileSystem":%s,"sizeBytes":%s,"mountPoint":%s,"immutable":%s,"formatted":%s}\n' \
        "$(json_string "$device")" "$(json_string "$uuid")" "$(json_string "$file_system")" "$size" \
        "$(json_string "$mount_point")" "$immutable" "$formatted"
}
