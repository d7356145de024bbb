# shellcheck shell=sh disable=SC2034,SC2154
# Takes the disk back from Longhorn: unmounted at most, its data never touched. What another resource
# or stack has taken over since, and what was the user's own before, stays as it is.

# PID MOUNT_POINT -> whether the process has an open file, directory or program below it
process_uses() {
    { ls -l "/proc/$1" "/proc/$1/fd" 2>/dev/null || :; } | awk -v top="$2" '
        { arrow = index($0, " -> "); path = substr($0, arrow + 4) }
        arrow && (path == top || index(path, top "/") == 1) { used = 1 }
        END { exit !used }' || grep -qs " $2/" "/proc/$1/maps"
}

# MOUNT_POINT -> who uses what is mounted there
users_of() {
    for directory in /proc/[0-9]*; do
        ! process_uses "${directory#/proc/}" "$1" || printf '%s/\n' "$directory"
    done | name_processes
    awk -v below="$1/" 'index($5, below) == 1 { printf "; the mount on %s", $5 }' /proc/self/mountinfo
    awk -v below="$1/" 'index($1, below) == 1 { printf "; the swap file %s", $1 }' /proc/swaps
    for file in /sys/block/loop*/loop/backing_file; do
        case $(cat "$file" 2>/dev/null) in
            "$1"/*) printf '; the loop device %s' "$(echo "$file" | cut -d/ -f4)" ;;
        esac
    done
}

# Is what is mounted there ours to unmount: our disk, or what is left of it after it vanished?
mount_is_ours() { [ "$1" = "$number" ] || has_vanished "$1"; }

unmount_disk() {
    while :; do
        set -f
        # shellcheck disable=SC2046 # the words are the fields
        set -- $(mounted_on_mount_point)
        set +f
        [ $# -gt 0 ] || return 0
        if ! mount_is_ours "$1"; then
            say "warning: $mount_point has $3 on $(name_of "$1") mounted on it, not $device; that stays mounted"
            return 0
        fi
        umount "$mount_point" >&2 ||
            die "$device: $mount_point cannot be unmounted. In use by: $(users_of "$mount_point"). Take the disk out of Longhorn and drain the node, or end these, then run again"
    done
}

remove_directory() {
    [ -d "$mount_point" ] && [ ! -L "$mount_point" ] && [ -z "$(mounted_on_mount_point)" ] || return 0
    if [ -n "$(ls -A "$mount_point")" ]; then
        say "warning: $mount_point is not empty; it stays"
        return 0
    fi
    chattr -i "$mount_point" 2>/dev/null || :
    rmdir "$mount_point" || say "warning: the empty directory $mount_point could not be removed"
}

# Has somebody else made sure of this mount since? A host that an earlier version of this program
# prepared has no record, and the mount counts as ours.
leave_to_its_owner() {
    taken_by=$(recorded owner)
    [ -n "$taken_by" ] && [ "$taken_by" != "$owner" ] || return 1
    say "$mount_point: the mount and its line in /etc/fstab stay, since $taken_by has them now"
    printf '{"removed":false,"owner":%s}\n' "$(json_string "$taken_by")"
}

# Where the record of the mount point is this resource's, the line in fstab tells which disk it has,
# whatever the named device is by now: gone, or a new disk that took its name.
find_disk_to_remove() {
    ours=
    [ -z "$owner" ] || [ "$(recorded owner)" != "$owner" ] || ours=$(path_of_own_line)
    [ -z "$ours" ] || device=$ours
    find_disk
}

remove() {
    check_request
    uuid='' adopted=no
    mkdir -p "$RUN_DIRECTORY"
    if find_disk_to_remove; then
        follow_exchanged_name
        lock_disk
        uuid=$(tag UUID)
    else
        number=
    fi
    ! leave_to_its_owner || return 0
    if [ -n "$(recorded 'line of the user')" ]; then
        say "$mount_point: the mount and its line in /etc/fstab stay, since they were there before: $(recorded 'line of the user')"
    else
        unmount_disk
        write_fstab '' ours
        remove_directory
    fi
    # A disk that was given back may be put to any use: it no longer counts as half formatted.
    [ -z "$number" ] || drop_formatting_record
    drop_owner_record
    echo '{"removed":true}'
}
