# shellcheck shell=sh disable=SC2034,SC2154
# What is so about one disk of a node, its mount point and its line in fstab, and what stands in the
# way of giving it to Longhorn. Everything here looks, and nothing writes: a preview sends this.
#
# device, mount_point, file_system, adopt_uuid, owner and mount_options are what disk.sh was asked.

OWN_LABEL=longhorn
STATE_DIRECTORY=/var/lib/longhorn-rancher
RUN_DIRECTORY=/run/longhorn-rancher
LOCK_SECONDS=900
MIB=1048576
LOOK_AT_HEALTH="Look at the disk's health (dmesg, smartctl)"
IN_TWO_RUNS="To move it, take the disk out of the stack file and run pulumi up, then add it with its new mount point and run pulumi up again; its data stays"
OR_BY_HAND="mount it yourself by a line in /etc/fstab and set stages.disks: false, so that Longhorn gets the path as you made it. That switch is for a stack that has prepared no disks yet"

# ---- what was asked -------------------------------------------------------------------------

check_request() {
    [ "$(id -u)" = 0 ] || refuse "preparing disks needs root" "Log in as root, or as a user with sudo"
    for tool in wipefs blkid blockdev findfs flock mount umount unshare chattr lsattr; do
        command -v "$tool" >/dev/null || refuse "the command $tool is missing" "Install util-linux and e2fsprogs" "$tool"
    done
    case $file_system in
        ext4) boot_check=2 ;;
        xfs) boot_check=0 ;;
        *) refuse "$device: file system $file_system is not supported" "Choose ext4 or xfs" ;;
    esac
    case $device in
        /dev/*) ;;
        *) refuse "$device is not a path below /dev" "Name the disk as /dev/sdb or /dev/disk/by-id/..." ;;
    esac
    case $mount_point in
        *[!A-Za-z0-9._@+/-]* | *//* | */ | */. | */./* | */.. | */../*)
            refuse "mount point $mount_point is not a plain absolute path" "Give one of letters, digits and . _ @ + -" ;;
        /dev/* | /proc/* | /sys/* | /run/* | /tmp/* | /dev | /proc | /sys | /run | /tmp)
            refuse "mount point $mount_point would not outlive a restart" "Choose one such as /mnt/longhorn-sdb" ;;
        /?*) ;;
        *) refuse "mount point '$mount_point' is not an absolute path below /" "Choose one such as /mnt/longhorn-sdb" ;;
    esac
    case $mount_options in
        *[!A-Za-z0-9._=,:+-]*) refuse "$mount_point: the mount options '$mount_options' are none" "Give them as fstab has them, such as noatime,discard" ;;
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
    [ -e "$device" ] || refuse "$device does not exist" "$(renamed_hint)Attach the disk, or name one of: $(known_disks)"
    [ -b "$device" ] || refuse "$device is not a block device" "Name one of: $(known_disks)"
    find_disk || refuse "$device has no medium (size 0)" "Attach the disk, or name one of: $(known_disks)"
}

# Kernel names are given again at each start. When /dev/sdb and /dev/sdc have changed places, the
# lines that an earlier run wrote to fstab still tell which is whose: the named disk is another
# mount point's, and ours is there under another name. Sets disk, number, sysfs and size to ours,
# and exchanged. A link such as /dev/disk/by-id/... means the same disk at every start.
follow_exchanged_name() {
    exchanged=
    line=$(own_lines "$(tag UUID)" '')
    case $line in
        '' | *" $mount_point") return 0 ;;
    esac
    ours=$(path_of_own_line)
    [ -n "$ours" ] || return 0
    [ "$disk" = "$device" ] || [ "$action" = remove ] ||
        refuse "$device is the disk of ${line#* }, and that of $mount_point is $ours" "To exchange them, take both disks out of the stack file and run pulumi up, then add them with their new mount points and run pulumi up again; their data stays" '' asked
    say "warning: $device is now the disk of ${line#* }, and that of $mount_point is $ours; each stays where it was. Name disks by /dev/disk/by-id, which a restart does not change"
    exchanged=$ours
    named=$device device=$ours
    find_disk || refuse "$device, the disk of $mount_point, has no medium (size 0)" "Attach the disk"
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
        $1 ~ /^UUID=/ && $4 ~ /(^|,)nofail(,|$)/ && NF == 6 {
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

# PLACE of a disk in /sys -> what its maker calls it, whatever path leads there; empty where that is
# nothing that can tell two disks apart (virtual disks often share theirs)
world_wide_name() { cat "$1/wwid" "$1/device/wwid" 2>/dev/null | sed -n '/^\(naa\|eui\|uuid\|nvme\)\./{p;q;}'; }

# PATH: does it lead to the disk that was asked for, or to another path of it?
is_same_disk() {
    [ -b "$1" ] || return 1
    [ "$(device_number "$1")" != "$number" ] || return 0
    own_name=$(world_wide_name "$sysfs")
    [ -n "$own_name" ] && [ "$own_name" = "$(world_wide_name "/sys/dev/block/$(device_number "$1")")" ]
}

# The stack file has other disks of this node: none of them may be this one by another name.
require_one_entry() {
    for other in $beside; do
        ! is_same_disk "$other" || refuse "$device and $other are one disk ($disk), and the stack file has both for this node" "Take one of the two entries out"
    done
}

swap_uses_disk() {
    while read -r area _; do
        [ -b "$area" ] && [ "$(device_number "$area")" = "$number" ] && return 0
    done </proc/swaps
    return 1
}

# HOLDER in /sys -> a path of that device that does not change at a restart
holder_path() {
    if [ -r "$1/dm/name" ]; then printf '/dev/mapper/%s' "$(cat "$1/dm/name")"; else printf '/dev/%s' "$(basename "$1")"; fi
}

# KEY MOUNT_POINT -> what the record of that mount point says; empty if there is no record
recorded_at() { sed -n "s/^$1 //p" "$(owner_record "$2")" 2>/dev/null | head -n 1; }

# MOUNT_POINT where the disk is mounted now -> is that a mount of this program's that it may end?
is_movable_from() {
    case $1 in *,*) return 1 ;; esac
    [ -n "$(recorded_at owner "$1")" ] && [ -z "$(recorded_at 'line of the user' "$1")" ]
}

# Sets moved_from where the disk is mounted elsewhere by this program. A preview tells it, and a run
# moves it only when it was told to: Longhorn has to let go of the disk first.
look_at_other_mount() {
    elsewhere=$(mounts_of "$number")
    case $elsewhere in
        '') return 0 ;;
        / | /,*) refuse "$device is the root disk of this host" "Name a free disk" ;;
    esac
    is_movable_from "$elsewhere" || refuse "$device is already mounted on $elsewhere" "Unmount it there, and delete its line in /etc/fstab, or name that mount point"
    case $action in
        check | move) moved_from=$elsewhere ;;
        *) refuse "$device is already mounted on $elsewhere" "$IN_TWO_RUNS" ;;
    esac
}

# Refuses a disk that something on this host uses, other than the mount that was asked for.
refuse_disk_in_use() {
    [ ! -e "$sysfs/partition" ] || refuse "$device is a partition" "Only whole disks can be prepared: name one, or $OR_BY_HAND"
    for partition in "$sysfs"/*/partition; do
        [ ! -e "$partition" ] || refuse "$device has partitions ($(basename "$(dirname "$partition")"), ...)" "Name a blank disk. To use a partition of it, $OR_BY_HAND"
    done
    for holder in "$sysfs"/holders/*; do
        [ ! -e "$holder" ] || refuse "$device is in use by $(holder_path "$holder") (device mapper, RAID or multipath)" "Name $(holder_path "$holder") itself, or a free disk"
    done
    [ ! -e "$sysfs/bcache" ] || refuse "$device is in use by bcache" "Name a free disk"
    ! swap_uses_disk || refuse "$device is in use as swap space" "Name a free disk"
    [ "$(blockdev --getro "$disk")" = 0 ] || refuse "$device is read-only" "Make it writable, or name another disk"
    [ "$mounted" = yes ] || look_at_other_mount
}

# ---- what is on the disk --------------------------------------------------------------------

# TAG -> its value by low-level probing, which no cache can falsify; empty if there is none
tag() { blkid -p -s "$1" -o value "$disk" 2>/dev/null || :; }

# FIRST_SECTOR SECTORS: sets data_bytes, the number of bytes there that are not zero
count_data() {
    range_bytes=$(dd if="$disk" bs=512 skip="$1" count="$2" 2>/dev/null | wc -c)
    [ "$range_bytes" -eq $(($2 * 512)) ] || refuse "$device cannot be read at sector $1" "$LOOK_AT_HEALTH"
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
        refuse "$device holds $found, but $1 is not content with it, see above" "If it never held data, clear it: $(clearing_command)"
    }
}

# Sets content (blank, own, adopted, unfinished or foreign), uuid and found (what to call it).
read_content() {
    signatures=$(wipefs -n -p "$disk") || refuse "$device cannot be examined by wipefs" "$LOOK_AT_HEALTH"
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
    else
        [ "$label" != "$OWN_LABEL" ] || [ "$mounted" = yes ] || [ ! -e "$(formatting_record)" ] || require_sound_file_system
        judge_file_system
    fi
}

# The label alone makes nothing ours: whoever asks for a file system by its UUID may have given it one.
judge_file_system() {
    if { [ -n "$adopt_uuid" ] && [ "$uuid" = "$adopt_uuid" ]; } || has_line_of_the_user; then
        content=adopted
    elif [ "$label" = "$OWN_LABEL" ]; then
        content=own
    elif [ -z "$adopt_uuid" ] && was_adopted; then
        content=adopted
    fi
}

# Has an earlier run adopted this very file system for the mount point? Who leaves its UUID out of the
# stack file afterwards asks for nothing else.
was_adopted() { [ -n "$(recorded owner)" ] && [ "$(own_lines "$uuid" '')" = "$uuid $mount_point" ]; }

# The same, where the line of fstab is the user's.
has_line_of_the_user() {
    kept=$(recorded 'line of the user')
    [ -n "$kept" ] && [ "$(device_of_spec "${kept%%[[:space:]]*}")" = "$number" ]
}

refuse_foreign_content() {
    if [ "$content" = foreign ]; then
        remedy="name a blank disk."
        case $(tag TYPE) in
            "$file_system") remedy="$remedy To use this file system as it is, with its data, give its UUID as the one to adopt." ;;
            ext4 | xfs) remedy="$remedy To keep this file system, ask for $(tag TYPE) instead of $file_system." ;;
        esac
        [ "$mounted" = no ] || refuse "$device is mounted on $mount_point and holds $found, not $file_system" "To keep this file system, ask for it. To give up what is on it, take the disk out of the stack file and run pulumi up, which has its replicas moved; then clear it yourself: $(clearing_command); then add it with $file_system and run pulumi up again" '' asked
        refuse "$device is not blank: it holds $found" "Look at it first, and $remedy To give this disk up for good, clear it yourself: $(clearing_command)"
    fi
    [ -z "$adopt_uuid" ] || [ "$uuid" = "$adopt_uuid" ] ||
        refuse "$device does not hold the file system $adopt_uuid that is to be adopted, but $content content${uuid:+ with UUID $uuid}" "Name the right disk, or adopt nothing"
}

# FILE -> its text on the disk, which may be mounted or not; empty where nothing here can read it (an
# xfs that is not mounted)
file_on_disk() {
    if [ "$mounted" = yes ]; then
        cat "$mount_point/$1" 2>/dev/null
    elif [ "$file_system" = ext4 ] && [ "$content" != blank ]; then
        debugfs -R "cat /$1" "$disk" 2>/dev/null
    fi || :
}

# DIRECTORY -> the names in it, one a line, in the same way
names_on_disk() {
    if [ "$mounted" = yes ]; then
        ls -A "$mount_point/$1" 2>/dev/null
    elif [ "$file_system" = ext4 ] && [ "$content" != blank ]; then
        debugfs -R "ls -p /$1" "$disk" 2>/dev/null | awk -F / 'NF > 6 && $6 != "." && $6 != ".." { print $6 }'
    fi || :
}

# -> the number by which Longhorn knows the disk, from the file that it leaves on it; empty if there is none
longhorn_disk() { file_on_disk longhorn-disk.cfg | sed -n 's/.*"diskUUID" *: *"\([0-9A-Za-z-]*\)".*/\1/p' | head -n 1; }

# -> how many replicas of Longhorn's volumes the disk holds
longhorn_replicas() { names_on_disk replicas | wc -l; }

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

# ---- the mount point ------------------------------------------------------------------------

# MAJOR:MINOR of a mount: was its disk taken away while it was mounted? What has no disk at all, such as
# NFS, tmpfs and btrfs, has major 0.
has_vanished() {
    case $1 in 0:*) return 1 ;; esac
    [ ! -e "/sys/dev/block/$1" ]
}

# Sets vanished. A preview tells it, and a run ends the mount, where it was this program's.
look_at_vanished_disk() {
    vanished=yes
    [ -n "$(recorded 'line of the user')" ] || [ -z "$(recorded owner)$(own_lines '' "$mount_point")" ] || return 0
    refuse "$mount_point has a disk mounted on it that is gone" "End that mount (umount -l $mount_point) and delete its line in /etc/fstab, then run again"
}

# Sets mounted to yes when our disk is on the mount point, and vanished to yes when one is there that is
# gone; refuses anything else there.
look_at_mount_point() {
    mounted=no vanished=no
    set -f
    # shellcheck disable=SC2046 # the words are the fields
    set -- $(mounted_on_mount_point)
    set +f
    if [ $# -gt 0 ] && has_vanished "$1"; then
        look_at_vanished_disk
        return
    fi
    if [ $# -gt 0 ]; then
        [ "$1" = "$number" ] || refuse "$mount_point has $3 on $(name_of "$1") mounted on it, not $device" "Kernel names such as /dev/sdb can change at a restart: name disks by /dev/disk/by-id, or choose another mount point"
        [ "$2" = / ] || refuse "$mount_point shows only $2 of $device" "Unmount it, then run again"
        mounted=yes
        return
    fi
    existing=$mount_point
    while [ ! -e "$existing" ] && [ ! -L "$existing" ]; do existing=$(dirname "$existing"); done
    [ "$(readlink -f "$existing")" = "$existing" ] || refuse "mount point $mount_point leads through the symbolic link $existing" "Name the real path"
    [ -d "$existing" ] || refuse "mount point $mount_point: $existing is not a directory" "Choose another mount point"
    [ "$existing" = "$mount_point" ] || ! is_on_read_only "$existing" ||
        refuse "mount point $mount_point is not there, and $existing is on a file system that is read-only" "Choose one below /var/lib, or put the directory into the image that the host starts from"
    [ "$existing" != "$mount_point" ] || [ -z "$(ls -A "$mount_point")" ] ||
        refuse "mount point $mount_point is not empty; the mount would hide what is in it" "Move its files away, or choose another mount point"
}

# PATH: is its file system mounted read-only? Root may write anywhere else, whatever the file's mode.
is_on_read_only() {
    case ,$(findmnt -nro OPTIONS -T "$1" 2>/dev/null), in
        *,ro,*) return 0 ;;
        *) return 1 ;;
    esac
}

# MAJOR:MINOR -> the kernel's name of the device
name_of() { basename "$(readlink -f "/sys/dev/block/$1")"; }

# COMMAND... -> runs it on the mount point's directory, mounted over or not
on_directory() {
    if [ "$mounted" = yes ]; then beneath "$mount_point" "$@"; else "$@" "$mount_point"; fi
}

directory_is_immutable() {
    case $(on_directory lsattr -d 2>/dev/null | cut -d ' ' -f 1) in
        *i*) return 0 ;;
        *) return 1 ;;
    esac
}

# ---- whose the mount is ---------------------------------------------------------------------

# MOUNT_POINT -> the file that tells which resource of which stack has it
owner_record() { printf '%s/mount-%s' "$STATE_DIRECTORY" "$(printf '%s' "$1" | sha256sum | cut -c 1-32)"; }

# KEY -> what the record of this mount point says; empty if there is no record
recorded() { recorded_at "$1" "$mount_point"; }

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

our_fstab_line() { printf 'UUID=%s %s %s %s 0 %s' "$uuid" "$mount_point" "$file_system" "$(fstab_options "$mount_options")" "$boot_check"; }

# MOUNT_OPTIONS -> the fourth field of fstab: a disk that is gone must not stop the host's start.
fstab_options() {
    case ,$1, in
        ,,) echo defaults,nofail ;;
        *,nofail,*) echo "$1" ;;
        *) echo "$1,nofail" ;;
    esac
}

# LINE of fstab: is it one as this program writes them, for our file system?
has_our_form() {
    set -f
    # shellcheck disable=SC2086 # the words are the fields
    set -- $1
    set +f
    [ "$#:${1-}:${3-}:${5-}:${6-}" = "6:UUID=$uuid:$file_system:0:$boot_check" ] || return 1
    [ "$4" = defaults,nofail ] || [ "$4" = "$(fstab_options "$mount_options")" ] || [ "$4" = "$(recorded options)" ]
}

# LINE -> sets verdict: ours; elsewhere (it gives our file system another mount point); users (it
# mounts an adopted file system here, and is not ours); claimed (it gives our mount point or our disk
# to something else); other.
judge_fstab_line() {
    verdict=other
    set -f
    # shellcheck disable=SC2086 # the words are the fields
    set -- "$1" $1
    set +f
    spec=${2-} target=${3-}
    case $spec in '#'*) return ;; esac
    while [ "${target%/}" != "$target" ] && [ "$target" != / ]; do target=${target%/}; done
    if [ -n "$uuid" ] && [ "$(printf '%s' "$spec" | tr -d '"')" = "UUID=$uuid" ]; then
        if [ "$target" = "$mount_point" ]; then verdict=ours; else verdict=elsewhere; fi
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
    [ "$adopted" = yes ] || return 0
    case $verdict in
        ours) has_our_form "$1" || verdict=users ;;
        elsewhere) has_our_form "$1" || verdict=claimed ;;
    esac
}

# WANTED FILE REPLACED: writes to FILE what fstab is to be: the line WANTED ('' for none) in the
# place of every line whose verdict is among REPLACED, all other bytes as they are. Sets fstab_changed, users_line and in_the_way (the last claimed line).
compose_fstab() {
    wanted=$1 written=no fstab_changed=no users_line='' in_the_way='' last_ending=''
    newline='
'
    while :; do
        if IFS= read -r line; then ending=$newline; else ending=; fi
        [ -n "$line$ending" ] || break
        judge_fstab_line "$line"
        case $verdict in
            claimed) in_the_way=$line ;;
            users) users_line=$line ;;
        esac
        case " $3 " in
            *" $verdict "*)
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
    [ -n "$wanted" ] && [ "$written" = no ] || return 0
    fstab_changed=yes
    [ ! -s "$fstab" ] || [ -n "$last_ending" ] || echo >>"$2"
    printf '%s\n' "$wanted" >>"$2"
}

# What fstab is to have of ours: nothing, where a line of the user does the work.
wanted_fstab_line() { [ -n "$users_line" ] || our_fstab_line; }

locate_fstab() { fstab=$(readlink -f /etc/fstab); }

# Before any disk is written to: no line of fstab may stand in the way.
check_fstab() {
    locate_fstab
    users_line=
    [ -e "$fstab" ] || return 0
    compose_fstab '' /dev/null 'ours elsewhere'
    [ -z "$in_the_way" ] || refuse "/etc/fstab already has: $in_the_way -- which is not $device on $mount_point" "Delete that line if it is not needed, or choose another disk or mount point"
    [ -z "$users_line" ] || [ -z "$mount_options" ] ||
        refuse "/etc/fstab already has: $users_line -- and the stack file asks for: $(our_fstab_line)" "Delete that line, or leave mountOptions out to keep it"
}

# Before fstab speaks of the UUID, it has to lead to this disk and to no other.
require_unique_uuid() {
    for other in $(blkid -c /dev/null -t "UUID=$uuid" -o device); do
        other_number=$(device_number "$other")
        # A path of a multipath disk shows what the whole shows, and names it as its holder.
        [ "$other_number" = "$number" ] || [ -e "/sys/dev/block/$other_number/holders/$(name_of "$number")" ] ||
            refuse "$device: its UUID $uuid is also on $other, as on a copied disk, so $mount_point could get either of them" "Detach $other, or give it a new UUID (tune2fs -U random, xfs_admin -U generate)"
    done
    named=$(device_of_spec "UUID=$uuid")
    [ "$named" = "$number" ] || refuse "$device: its UUID $uuid leads to ${named:-no device} instead of $number" "Run udevadm trigger and look at blkid, then run again"
}

# ---- check ----------------------------------------------------------------------------------

# All that can be refused, before anything is changed.
examine() {
    moved_from=
    require_disk
    follow_exchanged_name
    look_at_mount_point
    refuse_disk_in_use
    read_content
    refuse_foreign_content
    read_file_system_size
    refuse_shrunk_disk
    adopted=no
    [ "$content" != adopted ] || adopted=yes
    check_fstab
}

# Tells what ensure would find, or refuses as it would.
check() {
    refusals=json
    check_request
    examine
    fstab_changed=yes
    case $content in
        own | adopted)
            [ "$mounted" = yes ] || require_unique_uuid
            [ ! -e "$fstab" ] || compose_fstab "$(wanted_fstab_line)" /dev/null 'ours elsewhere' ;;
    esac
    immutable=false
    [ ! -d "$mount_point" ] || ! directory_is_immutable || immutable=true
    printf '{"device":%s,"content":"%s","uuid":%s,"sizeBytes":%s,"inFstab":%s,"mounted":%s,"immutable":%s,"longhornDisk":%s,"longhornReplicas":%s,"owner":%s,"mountedOn":%s,"mountedBy":%s,"exchanged":%s,"fileSystemBytes":%s,"canGrow":%s,"number":"%s","worldWideName":%s,"vanished":%s}\n' \
        "$(json_string "$device")" "$content" "$(json_or_null "$uuid")" "$size" \
        "$(json_boolean [ "$fstab_changed" = no ])" "$(json_boolean [ "$mounted" = yes ])" "$immutable" \
        "$(json_or_null "$(longhorn_disk)")" "$(longhorn_replicas)" "$(json_or_null "$(recorded owner)")" \
        "$(json_or_null "$moved_from")" "$(json_or_null "${moved_from:+$(recorded_at owner "$moved_from")}")" \
        "$(json_or_null "$exchanged")" "$file_system_bytes" "$(json_boolean can_grow)" \
        "$number" "$(json_or_null "$(world_wide_name "$sysfs")")" "$(json_boolean [ "$vanished" = yes ])"
}
