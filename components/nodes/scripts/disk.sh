#!/bin/sh
# Gives one disk of a node to Longhorn (ensure) or takes it back (remove); check changes nothing and
# tells what ensure would find, or refuses as it would. No path through this file writes to a disk
# that holds anything this program did not put there; remove never touches data.
#
#   sh -s -- ensure DEVICE MOUNT_POINT FILE_SYSTEM [ADOPT_UUID]
#   sh -s -- check DEVICE MOUNT_POINT FILE_SYSTEM [ADOPT_UUID]
#   sh -s -- remove DEVICE MOUNT_POINT FILE_SYSTEM [ADOPT_UUID]
#
# DEVICE       a whole disk: /dev/sdb, or better a link such as /dev/disk/by-id/...
# MOUNT_POINT  absolute path without symbolic links, of letters, digits and . _ @ + -
# FILE_SYSTEM  ext4 or xfs
# ADOPT_UUID   UUID of a file system made by someone else that is to be used as it is, with its data
#
# Runs as root, reads nothing from its standard input. Progress goes to stderr, the result to stdout
# as one line of JSON. On failure: exit status 1, the reason on the last line of stderr. Killed at
# any point, the next run completes the work.

set -eu
LC_ALL=C
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export LC_ALL PATH
umask 022

OWN_LABEL=longhorn
STATE_DIRECTORY=/var/lib/longhorn-rancher
RUN_DIRECTORY=/run/longhorn-rancher
LOCK_SECONDS=900
MIB=1048576
LOOK_AT_HEALTH="Look at the disk's health (dmesg, smartctl)"

host=$(uname -n)

say() { printf '%s: %s\n' "$host" "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# TEXT -> the text as a JSON string of ASCII; a byte beyond ASCII becomes the replacement character.
json_string() {
    printf '%s' "$1" | od -An -v -tu1 | awk '
        BEGIN { printf "\"" }
        {
            for (i = 1; i <= NF; i++)
                if ($i == 34 || $i == 92) printf "\\%c", $i
                else if ($i < 32) printf "\\u%04x", $i
                else if ($i < 128) printf "%c", $i
                else printf "\\ufffd"
        }
        END { printf "\"" }'
}

# ---- what was asked -------------------------------------------------------------------------

check_request() {
    [ "$(id -u)" = 0 ] || die "preparing disks needs root: log in as root, or as a user with sudo"
    for tool in wipefs blkid blockdev findfs flock mount umount unshare chattr lsattr; do
        command -v "$tool" >/dev/null || die "the command $tool is missing: install util-linux and e2fsprogs"
    done
    case $file_system in
        ext4) boot_check=2 ;;
        xfs) boot_check=0 ;;
        *) die "$device: file system $file_system is not supported: choose ext4 or xfs" ;;
    esac
    case $device in
        /dev/*) ;;
        *) die "$device is not a path below /dev: name the disk as /dev/sdb or /dev/disk/by-id/..." ;;
    esac
    case $mount_point in
        *[!A-Za-z0-9._@+/-]* | *//* | */ | */. | */./* | */.. | */../*)
            die "mount point $mount_point: give a plain absolute path of letters, digits and . _ @ + -" ;;
        /dev/* | /proc/* | /sys/* | /run/* | /tmp/* | /dev | /proc | /sys | /run | /tmp)
            die "mount point $mount_point would not outlive a restart: choose one such as /mnt/longhorn-sdb" ;;
        /?*) ;;
        *) die "mount point '$mount_point' is not an absolute path below /: choose one such as /mnt/longhorn-sdb" ;;
    esac
}

# ---- the disk as the kernel sees it ---------------------------------------------------------

# PATH of a block device -> MAJOR:MINOR, the only name of a disk that two paths can be compared by.
device_number() {
    set -- "$(stat -L -c %t "$1")" "$(stat -L -c %T "$1")"
    printf '%d:%d' "0x$1" "0x$2"
}

# Sets disk, number, sysfs and size; fails if there is no such disk, or no medium in it.
find_disk() {
    disk=$(readlink -f "$device") && [ -b "$disk" ] || return 1
    number=$(device_number "$disk")
    sysfs=/sys/dev/block/$number
    [ -d "$sysfs" ] && size=$(blockdev --getsize64 "$disk" 2>/dev/null) && [ "$size" -gt 0 ]
}

require_disk() {
    [ -e "$device" ] || die "$device does not exist. $(renamed_hint)Attach the disk, or name one of: $(known_disks)"
    [ -b "$device" ] || die "$device is not a block device. Name one of: $(known_disks)"
    find_disk || die "$device has no medium (size 0). Attach the disk, or name one of: $(known_disks)"
}

# Kernel names are given anew at each start. When /dev/sdb and /dev/sdc have changed places, the
# lines that an earlier run wrote to fstab still tell which is whose: the named disk is another
# mount point's, and ours is there under another name. Sets disk, number, sysfs and size to ours.
follow_exchanged_name() {
    owner=$(own_lines "$(tag UUID)" '')
    case $owner in
        '' | *" $mount_point") return 0 ;;
    esac
    ours=$(path_of_own_line)
    [ -n "$ours" ] || return 0
    say "warning: $device is now the disk of ${owner#* }, and that of $mount_point is $ours; each stays where it was. Name disks by /dev/disk/by-id, which a restart does not change"
    named=$device device=$ours
    find_disk || die "$device, the disk of $mount_point, has no medium (size 0). Attach the disk"
    device=$named
}

# The path that now leads to the disk which an earlier run entered in fstab for the mount point;
# empty if there is no such line, or no such disk.
path_of_own_line() {
    line_uuid=$(own_lines '' "$mount_point" | cut -d ' ' -f 1)
    [ -z "$line_uuid" ] || findfs "UUID=$line_uuid" 2>/dev/null || :
}

# UUID MOUNT_POINT, one of them empty -> "UUID MOUNT_POINT" of the lines of fstab as this program
# writes them that have it
own_lines() {
    awk -v uuid="$1" -v target="$2" '
        $1 ~ /^UUID=/ && $4 == "defaults,nofail" && NF == 6 {
            if (("UUID=" uuid) == $1 || target == $2) print substr($1, 6), $2
        }' /etc/fstab 2>/dev/null || :
}

renamed_hint() {
    ours=$(path_of_own_line)
    [ -z "$ours" ] || printf '%s' "The disk that was mounted on $mount_point is now $ours: name that, best by its /dev/disk/by-id path. "
}

known_disks() {
    lsblk -dnpo NAME,SIZE 2>/dev/null | awk '$2 != "0B" { printf "%s%s (%s)", comma, $1, $2; comma = ", " }' || :
}

# What is mounted on the mount point, the topmost first word by word: MAJOR:MINOR ROOT TYPE OPTIONS
mounted_on_mount_point() {
    awk -v target="$mount_point" '
        $5 == target {
            for (separator = 7; $separator != "-"; separator++);
            found = $3 " " $4 " " $(separator + 1) " " $6 "," $(separator + 3)
        }
        END { if (found) print found }' /proc/self/mountinfo
}

# MAJOR:MINOR -> every path it is mounted on, as this host sees it
mounts_of() {
    awk -v number="$1" '$3 == number { printf "%s%s", comma, $5; comma = ", " }' /proc/self/mountinfo
}

# MAJOR:MINOR -> up to five processes that see the disk mounted, containers included
processes_that_mount() {
    { grep -ls " $1 " /proc/[0-9]*/mountinfo || :; } | name_processes
}

# Lines with /proc/PID/... on stdin -> "name (pid N), ..."
name_processes() {
    cut -d/ -f3 | sort -un | head -n 5 | while read -r process; do
        name=$(cat "/proc/$process/comm" 2>/dev/null) || continue
        printf '%s (pid %s), ' "$name" "$process"
    done | sed 's/, $//'
}

swap_uses_disk() {
    while read -r area _; do
        [ -b "$area" ] && [ "$(device_number "$area")" = "$number" ] && return 0
    done </proc/swaps
    return 1
}

# Refuses a disk that something on this host uses, other than the mount that was asked for.
refuse_disk_in_use() {
    [ ! -e "$sysfs/partition" ] || die "$device is a partition. Name the whole disk that Longhorn is to have"
    for partition in "$sysfs"/*/partition; do
        [ ! -e "$partition" ] || die "$device has partitions ($(basename "$(dirname "$partition")"), ...). $UNTOUCHED Name a blank disk"
    done
    for holder in "$sysfs"/holders/*; do
        [ ! -e "$holder" ] || die "$device is in use by $(basename "$holder") (device mapper, RAID or multipath). $UNTOUCHED Name $(basename "$holder") itself, or a free disk"
    done
    [ ! -e "$sysfs/bcache" ] || die "$device is in use by bcache. $UNTOUCHED Name a free disk"
    ! swap_uses_disk || die "$device is in use as swap space. $UNTOUCHED Name a free disk"
    [ "$(blockdev --getro "$disk")" = 0 ] || die "$device is read-only. $UNTOUCHED Make it writable, or name another disk"
    [ "$mounted" = no ] || return 0
    elsewhere=$(mounts_of "$number")
    case $elsewhere in
        '') ;;
        / | /,*) die "$device is the root disk of this host. $UNTOUCHED Name a free disk" ;;
        *) die "$device is already mounted on $elsewhere. $UNTOUCHED Unmount it there, or name that mount point" ;;
    esac
}

# ---- what is on the disk --------------------------------------------------------------------

# TAG -> its value by low-level probing, which no cache can falsify; empty if there is none
tag() { blkid -p -s "$1" -o value "$disk" 2>/dev/null || :; }

# FIRST_SECTOR SECTORS: sets data_bytes, the number of bytes there that are not zero
count_data() {
    range_bytes=$(dd if="$disk" bs=512 skip="$1" count="$2" 2>/dev/null | wc -c)
    [ "$range_bytes" -eq $(($2 * 512)) ] || die "$device cannot be read at sector $1. $UNTOUCHED $LOOK_AT_HEALTH"
    data_bytes=$(dd if="$disk" bs=512 skip="$1" count="$2" 2>/dev/null | tr -d '\000' | wc -c)
}

edges_are_zero() {
    sectors=$((size / 512))
    edge=$((MIB / 512))
    [ "$sectors" -ge "$edge" ] || edge=$sectors
    count_data 0 "$edge"
    [ "$data_bytes" -eq 0 ] || return 1
    count_data $((sectors - edge)) "$edge"
    [ "$data_bytes" -eq 0 ]
}

# mkfs.xfs sets this byte of the superblock first and clears it when all else is written.
xfs_is_unfinished() {
    [ "$(dd if="$disk" bs=1 skip=126 count=1 2>/dev/null | od -An -tu1 | tr -d ' ')" != 0 ]
}

# Asked about a file system of our own whose format was never seen to end well.
require_sound_file_system() {
    say "$device: checking $found"
    case $file_system in
        ext4) set -- e2fsck -f -n "$disk" ;;
        xfs) set -- xfs_repair -n "$disk" ;;
    esac
    check_report=$("$@" 2>&1) || {
        printf '%s\n' "$check_report" >&2
        die "$device holds $found, but $1 is not content with it, see above. $UNTOUCHED If it never held data, clear it: $(clearing_command)"
    }
}

# Sets content (blank, own, adopted, unfinished or foreign), uuid and found (what to call it).
read_content() {
    signatures=$(wipefs -n -p "$disk") || die "$device cannot be examined by wipefs. $UNTOUCHED $LOOK_AT_HEALTH"
    signatures=$(printf '%s\n' "$signatures" | sed '/^#/d; /^$/d')
    probe=0
    blkid -p "$disk" >/dev/null 2>&1 || probe=$?
    uuid=$(tag UUID)
    found=$(describe_content)
    if [ "$probe" -eq 2 ] && [ -z "$signatures" ]; then
        read_unsigned_content
    elif [ "$probe" -eq 0 ] && [ "$(printf '%s\n' "$signatures" | wc -l)" -eq 1 ] && [ "$(tag TYPE)" = "$file_system" ]; then
        read_file_system
    else
        content=foreign
    fi
}

describe_content() {
    [ "$probe" -ne 2 ] || [ -n "$signatures" ] || { echo "data of an unknown kind" && return; }
    kind=$(tag TYPE)
    [ -n "$kind" ] || kind=$(tag PTTYPE)
    if [ -z "$kind" ]; then
        kind=$(printf '%s\n' "$signatures" | sed 's/.*,//' | sort -u | tr '\n' ' ')
        printf 'several signatures at once: %s' "$kind"
        return
    fi
    [ -n "$(tag TYPE)" ] || kind="a $kind partition table"
    name=$(tag LABEL | tr -cd '[:print:]')
    printf '%s%s%s' "$kind" "${name:+, label $name}" "${uuid:+, UUID $uuid}"
}

read_unsigned_content() {
    content=foreign
    if edges_are_zero; then
        content=blank
    elif [ -e "$(formatting_record)" ]; then
        # Both mkfs leave the first kibibyte zero until they write their superblock.
        count_data 0 2
        [ "$data_bytes" -ne 0 ] || content=unfinished
    fi
}

read_file_system() {
    content=foreign
    label=$(tag LABEL)
    if [ "$file_system" = xfs ] && xfs_is_unfinished; then
        found="an unfinished $found"
        [ "$label" != "$OWN_LABEL" ] || [ ! -e "$(formatting_record)" ] || content=unfinished
    elif [ "$label" = "$OWN_LABEL" ]; then
        [ "$mounted" = yes ] || [ ! -e "$(formatting_record)" ] || require_sound_file_system
        content=own
    elif [ -n "$adopt_uuid" ] && [ "$uuid" = "$adopt_uuid" ]; then
        content=adopted
    fi
}

refuse_foreign_content() {
    if [ "$content" = foreign ]; then
        remedy="name a blank disk."
        case $(tag TYPE) in
            "$file_system") remedy="$remedy To use this file system as it is, with its data, give its UUID as the one to adopt." ;;
            ext4 | xfs) remedy="$remedy To keep this file system, ask for $(tag TYPE) instead of $file_system." ;;
        esac
        die "$device is not blank: it holds $found. $UNTOUCHED Look at it first, and $remedy To give this disk up for good, clear it yourself: $(clearing_command)"
    fi
    [ -z "$adopt_uuid" ] || [ "$uuid" = "$adopt_uuid" ] ||
        die "$device does not hold the file system $adopt_uuid that is to be adopted, but $content content${uuid:+ with UUID $uuid}. $UNTOUCHED Name the right disk, or adopt nothing"
}

clearing_command() {
    printf 'wipefs -a %s && dd if=/dev/zero of=%s bs=512 count=2048 conv=notrunc,fsync && dd if=/dev/zero of=%s bs=512 count=2048 seek=%s conv=notrunc,fsync' \
        "$disk" "$disk" "$disk" "$((size / 512 - 2048))"
}

# ---- the record of a format that has begun --------------------------------------------------

# Everything that tells this disk from another. Without a number of its own, only the same
# place on the same boot counts as the same disk.
identity() {
    printf 'size %s\n' "$size"
    own_number=
    for file in wwid device/wwid serial device/serial device/vpd_pg80; do
        [ -r "$sysfs/$file" ] || continue
        value=$(tr -cd '[:graph:]' 2>/dev/null <"$sysfs/$file") || continue
        [ -n "$value" ] || continue
        own_number=yes
        printf '%s %s\n' "$file" "$value"
    done
    [ -z "$own_number" ] || return 0
    printf 'place %s\nboot %s\n' "$(readlink -f "$sysfs")" "$(cat /proc/sys/kernel/random/boot_id)"
    [ ! -r "$sysfs/diskseq" ] || printf 'attached as %s\n' "$(cat "$sysfs/diskseq")"
}

formatting_record() {
    printf '%s/formatting-%s' "$STATE_DIRECTORY" "$(identity | sha256sum | cut -c 1-32)"
}

# Old versions of sync know no arguments and write everything, which serves as well.
sync_path() { sync "$@" 2>/dev/null || sync; }

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

# ---- formatting -----------------------------------------------------------------------------

# Only ever called with content blank or unfinished.
format_disk() {
    others=$(processes_that_mount "$number")
    [ -z "$others" ] || die "$device is mounted inside another namespace, seen by $others. $UNTOUCHED End that container or process first"
    command -v "mkfs.$file_system" >/dev/null || die "$device: mkfs.$file_system is missing: install e2fsprogs for ext4, xfsprogs for xfs"
    say "$device: formatting $content disk of $size bytes with $file_system"
    keep_formatting_record
    UNTOUCHED="The disk was formatted, nothing else was changed."
    # The lock on the device itself keeps udev from probing a half-written file system.
    # Given once, mkfs.ext4's -F asks no questions and yet refuses a disk in use.
    case $file_system in
        ext4) set -- mkfs.ext4 -q -F -L "$OWN_LABEL" "$disk" ;;
        xfs)
            set -- mkfs.xfs -q -L "$OWN_LABEL" "$disk"
            [ "$content" = blank ] || set -- mkfs.xfs -q -f -L "$OWN_LABEL" "$disk" ;;
    esac
    flock -x -w "$LOCK_SECONDS" "$disk" "$@" >&2 || die "$device: mkfs.$file_system failed, see above. The disk holds nothing yet; run again once the cause is gone"
    sync_path "$disk"
    formatted=true
    read_content
    [ "$content" = own ] || die "$device: after formatting it holds $found, not $file_system labelled $OWN_LABEL. Something else writes to this disk: find it, then run again"
}

# ---- the mount point ------------------------------------------------------------------------

# Sets mounted to yes when our disk is on the mount point; refuses anything else there.
look_at_mount_point() {
    mounted=no
    set -f
    # shellcheck disable=SC2046 # the words are the fields
    set -- $(mounted_on_mount_point)
    set +f
    if [ $# -gt 0 ]; then
        [ "$1" = "$number" ] || die "$mount_point has $3 on $(name_of "$1") mounted on it, not $device. $UNTOUCHED Kernel names such as /dev/sdb can change at a restart: name disks by /dev/disk/by-id, or choose another mount point"
        [ "$2" = / ] || die "$mount_point shows only $2 of $device. $UNTOUCHED Unmount it, then run again"
        mounted=yes
        return
    fi
    existing=$mount_point
    while [ ! -e "$existing" ] && [ ! -L "$existing" ]; do existing=$(dirname "$existing"); done
    [ "$(readlink -f "$existing")" = "$existing" ] || die "mount point $mount_point leads through the symbolic link $existing. $UNTOUCHED Name the real path"
    [ -d "$existing" ] || die "mount point $mount_point: $existing is not a directory. $UNTOUCHED Choose another mount point"
    [ "$existing" != "$mount_point" ] || [ -z "$(ls -A "$mount_point")" ] ||
        die "mount point $mount_point is not empty; the mount would hide what is in it. $UNTOUCHED Move its files away, or choose another mount point"
}

# MAJOR:MINOR -> the kernel's name of the device
name_of() { basename "$(readlink -f "/sys/dev/block/$1")"; }

# COMMAND... -> runs it on the directory itself, even while a disk is mounted over it. The bind
# mount shows what is beneath, and dies with the private namespace it is made in.
beneath_mount() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare -m sh -c '
        mount --make-rprivate / && mount --bind "$1" /run || exit
        directory=/run/$2
        shift 2
        "$@" "$directory"' sh "$(dirname "$mount_point")" "$(basename "$mount_point")" "$@"
}

# COMMAND... -> runs it on the mount point's directory, mounted over or not
on_directory() {
    if [ "$mounted" = yes ]; then beneath_mount "$@"; else "$@" "$mount_point"; fi
}

directory_is_immutable() {
    case $(on_directory lsattr -d 2>/dev/null | cut -d ' ' -f 1) in
        *i*) return 0 ;;
        *) return 1 ;;
    esac
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

# SPEC of an fstab line -> MAJOR:MINOR of the device it means; empty if there is no such device
device_of_spec() {
    spec_path=
    case $1 in
        UUID=* | LABEL=* | PARTUUID=* | PARTLABEL=* | ID=*) spec_path=$(findfs "$(printf '%s' "$1" | tr -d '"')" 2>/dev/null) || : ;;
        /dev/*) spec_path=$1 ;;
    esac
    [ ! -b "$spec_path" ] || device_number "$spec_path"
}

# LINE -> sets verdict: ours (to be replaced or deleted), other (to be left), or claimed (it gives
# our mount point or our disk to something else; spec and target say what).
judge_fstab_line() {
    verdict=other
    set -f
    # shellcheck disable=SC2086 # the words are the fields
    set -- $1
    set +f
    spec=${1-} target=${2-}
    case $spec in '#'*) return ;; esac
    while [ "${target%/}" != "$target" ] && [ "$target" != / ]; do target=${target%/}; done
    if [ -n "$uuid" ] && [ "$(printf '%s' "$spec" | tr -d '"')" = "UUID=$uuid" ]; then
        # A line that gives our disk a new mount point is not for remove of the old one to delete.
        [ "$action" = remove ] && [ "$target" != "$mount_point" ] || verdict=ours
    elif [ "$target" = "$mount_point" ]; then
        case $spec in
            UUID=* | LABEL=* | PARTUUID=* | PARTLABEL=* | ID=* | /dev/*)
                meant=$(device_of_spec "$spec")
                [ -n "$meant" ] && [ "$meant" != "$number" ] && verdict=claimed || verdict=ours ;;
            *) verdict=claimed ;;
        esac
    elif [ -n "$number" ] && [ -b "$spec" ] && [ "$(device_number "$spec")" = "$number" ]; then
        verdict=claimed
    fi
}

# WANTED FILE: writes to FILE what fstab is to be: our line WANTED in the place of every line of
# ours ('' for none), all other bytes as they are. Sets fstab_changed.
compose_fstab() {
    wanted=$1
    written=no
    fstab_changed=no
    newline='
'
    while :; do
        if IFS= read -r line; then ending=$newline; else ending=; fi
        [ -n "$line$ending" ] || break
        judge_fstab_line "$line"
        case $verdict:$action in
            claimed:ensure | claimed:check) die "/etc/fstab already has: $line -- which is not $device on $mount_point. $UNTOUCHED Delete that line if it is not needed, or choose another disk or mount point" ;;
            ours:*)
                [ "$line" = "$wanted" ] && [ "$written" = no ] || fstab_changed=yes
                if [ -n "$wanted" ] && [ "$written" = no ]; then
                    written=yes
                    printf '%s\n' "$wanted"
                fi ;;
            *)
                printf '%s%s' "$line" "$ending"
                last_ending=$ending ;;
        esac
    done <"$fstab" >"$2"
    if [ -n "$wanted" ] && [ "$written" = no ]; then
        fstab_changed=yes
        [ ! -s "$fstab" ] || [ -n "$last_ending" ] || echo >>"$2"
        printf '%s\n' "$wanted" >>"$2"
    fi
}

our_fstab_line() { printf 'UUID=%s %s %s defaults,nofail 0 %s' "$uuid" "$mount_point" "$file_system" "$boot_check"; }

# Before any disk is written to: no line of fstab may stand in the way.
check_fstab() {
    locate_fstab
    [ ! -e "$fstab" ] || compose_fstab '' /dev/null
}

locate_fstab() {
    fstab=$(readlink -f /etc/fstab)
}

# WANTED line, or '' to have none
write_fstab() {
    exec 8>"$RUN_DIRECTORY/fstab.lock"
    flock -x -w "$LOCK_SECONDS" 8 || die "/etc/fstab is being changed by another run since $LOCK_SECONDS seconds ($RUN_DIRECTORY/fstab.lock). End it, then run again"
    locate_fstab
    [ -e "$fstab" ] || : >>"$fstab"
    # In the same directory, so that the last step is one rename; a fixed name, so that a killed
    # run leaves at most this one file, which the next run removes.
    fresh=$(dirname "$fstab")/.fstab.longhorn-rancher
    rm -f "$fresh"
    compose_fstab "$1" /dev/null
    if [ "$fstab_changed" = yes ]; then
        cp -a "$fstab" "$fresh"
        compose_fstab "$1" "$fresh"
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

# Before fstab speaks of the UUID, it has to lead to this disk and to no other.
require_unique_uuid() {
    for other in $(blkid -c /dev/null -t "UUID=$uuid" -o device); do
        other_number=$(device_number "$other")
        # A path of a multipath disk shows what the whole shows, and names it as its holder.
        [ "$other_number" = "$number" ] || [ -e "/sys/dev/block/$other_number/holders/$(name_of "$number")" ] ||
            die "$device: its UUID $uuid is also on $other, as on a copied disk, so $mount_point could get either of them. Detach $other, or give it a new UUID (tune2fs -U random, xfs_admin -U generate)"
    done
    named=$(device_of_spec "UUID=$uuid")
    [ "$named" = "$number" ] || die "$device: its UUID $uuid leads to ${named:-no device} instead of $number. Run udevadm trigger and look at blkid, then run again"
}

mount_disk() {
    reload_systemd
    say "$device: mounting on $mount_point"
    # systemd may have been faster; whether what is there is right is seen afterwards.
    mount "$mount_point" >&2 || [ -n "$(mounted_on_mount_point)" ] ||
        die "$device: mount $mount_point failed, see above and dmesg"
    mounted=yes
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

# ---- ensure ---------------------------------------------------------------------------------

# The lock is inherited by mkfs: if this shell is killed, the next run still waits for mkfs.
lock_disk() {
    mkdir -p "$RUN_DIRECTORY"
    exec 9>"$RUN_DIRECTORY/disk-$number.lock"
    flock -n -x 9 || say "$device: waiting for another run to end"
    flock -w "$LOCK_SECONDS" -x 9 || die "$device: another run holds this disk since $LOCK_SECONDS seconds ($RUN_DIRECTORY/disk-$number.lock). End it, then run again"
}

# All that can be refused, before anything is changed.
examine() {
    look_at_mount_point
    refuse_disk_in_use
    read_content
    refuse_foreign_content
    check_fstab
}

ensure() {
    require_disk
    follow_exchanged_name
    lock_disk
    examine
    formatted=false
    case $content in
        blank | unfinished) format_disk ;;
    esac
    drop_formatting_record
    if [ "$mounted" = no ]; then
        wait_for_udev
        require_unique_uuid
    fi
    mkdir -p "$mount_point"
    make_directory_immutable
    write_fstab "$(our_fstab_line)"
    [ "$mounted" = yes ] || mount_disk
    verify_mount
    printf '{"device":%s,"uuid":%s,"fileSystem":%s,"sizeBytes":%s,"mountPoint":%s,"immutable":%s,"formatted":%s}\n' \
        "$(json_string "$device")" "$(json_string "$uuid")" "$(json_string "$file_system")" "$size" \
        "$(json_string "$mount_point")" "$immutable" "$formatted"
}

# ---- check ----------------------------------------------------------------------------------

check() {
    require_disk
    follow_exchanged_name
    examine
    fstab_changed=yes
    case $content in
        own | adopted)
            [ "$mounted" = yes ] || require_unique_uuid
            [ ! -e "$fstab" ] || compose_fstab "$(our_fstab_line)" /dev/null ;;
    esac
    immutable=false
    [ ! -d "$mount_point" ] || ! directory_is_immutable || immutable=true
    printf '{"device":%s,"content":"%s","uuid":%s,"sizeBytes":%s,"inFstab":%s,"mounted":%s,"immutable":%s}\n' \
        "$(json_string "$device")" "$content" "$([ -n "$uuid" ] && json_string "$uuid" || echo null)" "$size" \
        "$([ "$fstab_changed" = no ] && echo true || echo false)" "$([ "$mounted" = yes ] && echo true || echo false)" "$immutable"
}

# ---- remove ---------------------------------------------------------------------------------

# PID of a process -> whether it has an open file, directory or program below the mount point
process_uses_mount_point() {
    { ls -l "/proc/$1" "/proc/$1/fd" 2>/dev/null || :; } | awk -v top="$mount_point" '
        { arrow = index($0, " -> "); path = substr($0, arrow + 4) }
        arrow && (path == top || index(path, top "/") == 1) { used = 1 }
        END { exit !used }' || grep -qs " $mount_point/" "/proc/$1/maps"
}

users_of_mount_point() {
    for directory in /proc/[0-9]*; do
        ! process_uses_mount_point "${directory#/proc/}" || printf '%s/\n' "$directory"
    done | name_processes
    awk -v below="$mount_point/" 'index($5, below) == 1 { printf "; the mount on %s", $5 }' /proc/self/mountinfo
    awk -v below="$mount_point/" 'index($1, below) == 1 { printf "; the swap file %s", $1 }' /proc/swaps
    for file in /sys/block/loop*/loop/backing_file; do
        case $(cat "$file" 2>/dev/null) in
            "$mount_point"/*) printf '; the loop device %s' "$(echo "$file" | cut -d/ -f4)" ;;
        esac
    done
}

# Is what is mounted there ours to unmount: our disk, or what is left of it after it vanished?
mount_is_ours() {
    if [ -n "$number" ]; then [ "$1" = "$number" ]; else [ ! -e "/sys/dev/block/$1" ]; fi
}

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
            die "$device: $mount_point cannot be unmounted. In use by: $(users_of_mount_point). Take the disk out of Longhorn and drain the node, or end these, then run again"
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

remove() {
    uuid=
    mkdir -p "$RUN_DIRECTORY"
    if find_disk; then
        follow_exchanged_name
        lock_disk
        uuid=$(tag UUID)
    else
        number=
    fi
    unmount_disk
    locate_fstab
    write_fstab ''
    remove_directory
    # A disk that was given back may be put to any use: it no longer counts as half formatted.
    [ -z "$number" ] || drop_formatting_record
    echo '{"removed":true}'
}

main() {
    action=${1-} device=${2-} mount_point=${3-} file_system=${4-}
    adopt_uuid=$(printf '%s' "${5-}" | tr '[:upper:]' '[:lower:]')
    last_ending=
    UNTOUCHED="Nothing was changed."
    case $action in
        ensure | check | remove) ;;
        *) die "usage: disk.sh ensure|check|remove DEVICE MOUNT_POINT FILE_SYSTEM [ADOPT_UUID]" ;;
    esac
    check_request
    "$action"
}

main "$@" </dev/null
