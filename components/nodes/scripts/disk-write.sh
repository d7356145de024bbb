# shellcheck shell=sh disable=SC2034,SC2154
# What changes a host for one disk: its file system, its mount, its line in fstab, its records. No
# path through this file writes to a disk that holds anything this program did not put there.

keep_formatting_record() {
    record=$(formatting_record)
    mkdir -p "$STATE_DIRECTORY"
    { printf 'device %s\n' "$device" && identity; } >"$record.new"
    sync_path "$record.new"
    mv -f "$record.new" "$record"
    sync_path "$STATE_DIRECTORY"
}

drop_formatting_record() {
    record=$(formatting_record)
    [ -e "$record" ] || return 0
    rm -f "$record"
    sync_path "$STATE_DIRECTORY"
}

# OPTIONS of our line in fstab: the resource that was asked for has the mount from here on, and whoever
# had it before leaves it alone.
keep_owner_record() {
    record=$(owner_record "$mount_point")
    mkdir -p "$STATE_DIRECTORY"
    {
        printf 'mount %s\nowner %s\n' "$mount_point" "$owner"
        printf 'options %s\n' "$1"
        [ -z "$users_line" ] || printf 'line of the user %s\n' "$users_line"
    } >"$record.new"
    if cmp -s "$record.new" "$record"; then
        rm -f "$record.new"
    else
        sync_path "$record.new"
        mv -f "$record.new" "$record"
        sync_path "$STATE_DIRECTORY"
    fi
}

drop_owner_record() {
    record=$(owner_record "$mount_point")
    rm -f "$record" "$record.new"
}

# ---- formatting -----------------------------------------------------------------------------

# Only ever called with content blank or unfinished.
format_disk() {
    others=$(processes_that_mount "$number")
    [ -z "$others" ] || refuse "$device is mounted inside another namespace, seen by $others" "End that container or process first"
    command -v "mkfs.$file_system" >/dev/null || refuse "$device: the command mkfs.$file_system is missing" "Install e2fsprogs for ext4, xfsprogs for xfs" "mkfs.$file_system"
    say "$device: formatting $content disk of $size bytes with $file_system"
    keep_formatting_record
    UNTOUCHED="The disk was formatted, nothing else was changed."
    # The lock on the device itself keeps udev from probing a half-written file system.
    # Given once, mkfs.ext4's -F asks no questions and yet refuses a disk in use.
    case $file_system in
        ext4) set -- mkfs.ext4 -q -F -L "$OWN_LABEL" ;;
        xfs)
            set -- mkfs.xfs -q -L "$OWN_LABEL"
            [ "$content" = blank ] || set -- mkfs.xfs -q -f -L "$OWN_LABEL" ;;
    esac
    # shellcheck disable=SC2086 # the words are the options
    flock -x -w "$LOCK_SECONDS" "$disk" "$@" $mkfs_options "$disk" >&2 || die "$device: mkfs.$file_system failed, see above. The disk holds nothing yet; run again once the cause is gone"
    sync_path "$disk"
    formatted=true
    read_content
    [ "$content" = own ] || die "$device: after formatting it holds $found, not $file_system labelled $OWN_LABEL. Something else writes to this disk: find it, then run again"
}

# Nothing can be written to the root disk by mistake while our disk is not mounted.
make_directory_immutable() {
    immutable=true
    ! directory_is_immutable || return 0
    if [ "$mounted" = yes ] && [ -n "$(on_directory ls -A 2>/dev/null)" ]; then
        say "warning: $mount_point has files of the root disk beneath the mount; they stay hidden there"
    fi
    on_directory chattr +i 2>/dev/null || :
    directory_is_immutable || {
        immutable=false
        say "warning: $mount_point cannot be made immutable here; if $device is ever not mounted, Longhorn could fill the root disk"
    }
}

# ---- fstab ----------------------------------------------------------------------------------

# WANTED line ('' for none) REPLACED, as compose_fstab has them
write_fstab() {
    exec 8>"$RUN_DIRECTORY/fstab.lock"
    flock -x -w "$LOCK_SECONDS" 8 || die "/etc/fstab is being changed by another run since $LOCK_SECONDS seconds ($RUN_DIRECTORY/fstab.lock). End it, then run again"
    locate_fstab
    [ -e "$fstab" ] || : >>"$fstab"
    # In the same directory, so that the last step is one rename; a fixed name, so that a killed
    # run leaves at most this one file, which the next run removes.
    fresh=$(dirname "$fstab")/.fstab.longhorn-rancher
    rm -f "$fresh"
    compose_fstab "$1" /dev/null "$2"
    if [ "$fstab_changed" = yes ]; then
        cp -a "$fstab" "$fresh"
        compose_fstab "$1" "$fresh" "$2"
        sync_path "$fresh"
        mv -f "$fresh" "$fstab" || die "/etc/fstab cannot be replaced: is / read-only, or is it a mount of its own?"
        sync_path "$(dirname "$fstab")"
        reload_systemd
    fi
    exec 8>&-
}

# systemd mounts by units it made from fstab; with stale ones it may undo our mount.
reload_systemd() {
    [ ! -d /run/systemd/system ] || systemctl daemon-reload || say "warning: systemctl daemon-reload failed; systemd may hold an older /etc/fstab"
}

# ---- mounting -------------------------------------------------------------------------------

wait_for_udev() {
    [ -e /run/udev/control ] || return 0
    # Asked for here, so that settle has an event to wait for.
    echo change >"$sysfs/uevent" || :
    udevadm settle --timeout=60 || say "warning: udev is still busy after 60 seconds"
}

mount_disk() {
    reload_systemd
    # systemd may have been faster; whether what is there is right is seen afterwards.
    mount "$mount_point" >&2 || [ -n "$(mounted_on_mount_point)" ] ||
        die "$device: mount $mount_point failed, see above and dmesg"
    mounted=yes
}

# Before our line changes under a mounted disk: what can't be mounted with its options would only show at
# the next start of the host.
try_mount_options() {
    locate_fstab
    fstab_changed=yes
    [ ! -e "$fstab" ] || compose_fstab "$(wanted_fstab_line)" /dev/null 'ours elsewhere'
    [ -z "$users_line" ] && [ "$fstab_changed" = yes ] || return 0
    # Nothing is made writable again here that the kernel made read-only.
    verify_mount
    options=$(fstab_options "$mount_options")
    say "$device: mounting $mount_point with $options; an option that was taken out holds until it is mounted again"
    # With the disk named, too, mount asks neither fstab nor what is mounted for more options.
    mount -o "remount,$options" "$disk" "$mount_point" >&2 ||
        die "$device: $mount_point cannot be mounted with the options $options, see above and dmesg. It stays mounted as it was, and its line in /etc/fstab was not changed. Correct mountOptions; or, as some options (such as data= of ext4) cannot change while a disk is mounted, take the disk out of the stack file and run pulumi up, then add it with its new options and run pulumi up again; its data stays"
}

verify_mount() {
    set -f
    # shellcheck disable=SC2046 # the words are the fields
    set -- $(mounted_on_mount_point)
    set +f
    [ "${1-}:${2-}" = "$number:/" ] || die "$mount_point shows ${1:-nothing} instead of $device ($number). Look at findmnt and /etc/fstab"
    [ "$3" = "$file_system" ] || die "$mount_point is mounted as $3 instead of $file_system"
    case ,$4, in
        *,ro,* | *,emergency_ro,*) die "$mount_point is mounted read-only. Look at dmesg for errors of $device, repair it, mount it again" ;;
    esac
}

# ---- locks ----------------------------------------------------------------------------------

# The lock is inherited by mkfs: if this shell is killed, the next run still waits for mkfs.
lock_disk() {
    mkdir -p "$RUN_DIRECTORY"
    exec 9>"$RUN_DIRECTORY/disk-$number.lock"
    flock -n -x 9 || say "$device: waiting for another run to end"
    flock -w "$LOCK_SECONDS" -x 9 || die "$device: another run holds this disk since $LOCK_SECONDS seconds ($RUN_DIRECTORY/disk-$number.lock). End it, then run again"
}
