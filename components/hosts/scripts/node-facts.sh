#!/bin/sh
# Tells what is so on a node, and changes nothing there: for previews, which compare it with what the
# stack asks for. It judges nothing; whether a disk may be used is for disk.sh check to say.
#
#   sh -s -- [DEVICE:MOUNT_POINT]...
#
# Runs as root, reads nothing from its standard input. The result is one line of JSON on stdout;
# what cannot be found out is null.

set -eu
LC_ALL=C
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export LC_ALL PATH

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

# TEXT -> the text as a JSON string, or null for none
json_or_null() { if [ -n "$1" ]; then json_string "$1"; else printf null; fi; }

# COMMAND... -> true or false, as the command says
json_boolean() { if "$@" >/dev/null 2>&1; then printf true; else printf false; fi; }

# ---- the system -----------------------------------------------------------------------------

# KEY -> its value in os-release, unquoted
os_release() {
    for file in /etc/os-release /usr/lib/os-release; do
        [ -r "$file" ] || continue
        sed -n "s/^$1=//p" "$file" | tail -n 1 | sed "s/^[\"']//; s/[\"']\$//"
        return
    done
}

# PACKAGE -> its installed version; empty if it is not installed, or another system's name
installed_version() {
    if command -v dpkg-query >/dev/null; then
        { dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null || :; } | sed -n 's/^installed //p'
    elif command -v rpm >/dev/null; then
        { rpm -q --qf 'installed %{VERSION}-%{RELEASE}\n' "$1" 2>/dev/null || :; } | sed -n 's/^installed //p'
    fi | tail -n 1
}

packages() {
    comma=
    for package in open-iscsi iscsi-initiator-utils nfs-common nfs-utils nfs-client e2fsprogs xfsprogs; do
        version=$(installed_version "$package")
        [ -n "$version" ] || continue
        printf '%s%s:%s' "$comma" "$(json_string "$package")" "$(json_string "$version")"
        comma=,
    done
}

# NAME of a daemon: does it run, as a service, by its socket, or without systemd?
daemon_is_active() {
    if [ -d /run/systemd/system ]; then
        systemctl is-active --quiet "$1.service" || systemctl is-active --quiet "$1.socket"
    else
        grep -qsx "$1" /proc/[0-9]*/comm
    fi
}

# Does it start at boot?
daemon_is_enabled() {
    [ ! -d /run/systemd/system ] || systemctl is-enabled --quiet "$1.service" || systemctl is-enabled --quiet "$1.socket"
}

# NAME... -> whether each of these commands is there, as members of a JSON object
commands() {
    comma=
    for command; do
        printf '%s"%s":%s' "$comma" "$command" "$(json_boolean command -v "$command")"
        comma=,
    done
}

# NAME of a kernel module -> loaded, builtin, available, missing; unknown where modules are not listed
module_state() {
    directory=/lib/modules/$(uname -r)
    if [ -d "/sys/module/$1" ]; then
        echo loaded
    elif grep -qs "/$1\.ko" "$directory/modules.builtin"; then
        echo builtin
    elif grep -qs "/$1\.ko[.a-z]*:" "$directory/modules.dep"; then
        echo available
    elif [ -r "$directory/modules.dep" ]; then
        echo missing
    else
        echo unknown
    fi
}

# The NFS version that mounts without one get; empty if nothing is said about it
nfs_default_version() {
    cat /etc/nfsmount.conf /etc/nfsmount.conf.d/*.conf 2>/dev/null |
        sed -n 's/^[[:space:]]*Defaultvers[[:space:]]*=[[:space:]]*\([0-9.]*\).*/\1/p' | tail -n 1
}

# How this kernel was built to speak NFS 4: y, m or n; empty if its configuration is not here
nfs4_in_kernel() {
    config=/boot/config-$(uname -r)
    if [ -r "$config" ]; then
        built=$(grep -E '^CONFIG_NFS_V4(_1|_2)?=' "$config" || :)
    elif [ -r /proc/config.gz ]; then
        built=$(zcat /proc/config.gz 2>/dev/null | grep -E '^CONFIG_NFS_V4(_1|_2)?=' || :)
    else
        return 0
    fi
    case $built in
        *=y*) echo y ;;
        *=m*) echo m ;;
        *) echo n ;;
    esac
}

# Mounts reach containers only from where / is shared.
mount_propagation() {
    awk '$5 == "/" {
        found = "private"
        for (i = 7; $i != "-"; i++)
            if ($i ~ /^shared:/) found = "shared"
            else if ($i ~ /^master:/ && found == "private") found = "slave"
    }
    END { print found }' /proc/self/mountinfo
}

# ---- disks ----------------------------------------------------------------------------------

# PATH TAG -> its value by low-level probing; empty if there is none
tag() { blkid -p -s "$2" -o value "$1" 2>/dev/null || :; }

# MOUNT_POINT -> "UUID TYPE OPTIONS" of the topmost mount there; empty if nothing is mounted
mounted_there() {
    awk -v target="$1" '
        $5 == target {
            for (separator = 7; $separator != "-"; separator++);
            found = $3 " " $(separator + 1) " " $6 "," $(separator + 3)
        }
        END { if (found) print found }' /proc/self/mountinfo
}

# MAJOR:MINOR -> a path of that device
path_of() {
    name=$(basename "$(readlink -f "/sys/dev/block/$1")")
    if [ -b "/dev/$name" ]; then echo "/dev/$name"; else findmnt -nro SOURCE --source "$1" 2>/dev/null | head -n 1; fi
}

# MOUNT_POINT -> its directory's attribute letters, mounted over or not; empty if there is none
directory_attributes() {
    if [ -z "$(mounted_there "$1")" ]; then
        lsattr -d "$1" 2>/dev/null
    else
        # The bind mount shows what is beneath, and dies with the private namespace it is made in.
        # shellcheck disable=SC2016 # expanded by the inner shell
        unshare -m sh -c 'mount --make-rprivate / && mount --bind "$1" /run && lsattr -d "/run/$2"' \
            sh "$(dirname "$1")" "$(basename "$1")" 2>/dev/null
    fi | cut -d ' ' -f 1
}

# May root here make a file immutable? In some containers it may not (bit 9, CAP_LINUX_IMMUTABLE).
can_make_immutable() {
    capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
    [ $((0x$capabilities >> 9 & 1)) = 1 ]
}

# MOUNT_POINT -> true or false; null if there is no directory, or nothing here can be immutable
immutable() {
    attributes=
    ! can_make_immutable || attributes=$(directory_attributes "$1")
    case $attributes in
        '') printf null ;;
        *i*) printf true ;;
        *) printf false ;;
    esac
}

# MOUNT_POINT -> the lines of fstab for it
fstab_lines() {
    [ ! -r /etc/fstab ] || awk -v target="$1" '
        { point = $2; sub("/+$", "", point) }
        $1 !~ /^#/ && point == target { print }' /etc/fstab
}

# DEVICE MOUNT_POINT -> one JSON object
disk_facts() {
    uuid='' type='' label='' size='' partitions='' device_is=missing
    if [ -b "$1" ]; then
        device_is=disk
        uuid=$(tag "$1" UUID) type=$(tag "$1" TYPE) label=$(tag "$1" LABEL) partitions=$(tag "$1" PTTYPE)
        size=$(blockdev --getsize64 "$1" 2>/dev/null) || size=
    elif [ -e "$1" ]; then
        device_is=other
    fi
    case $type in ext4) check=2 ;; *) check=0 ;; esac
    lines=$(fstab_lines "$2")
    fstab=different
    [ -n "$lines" ] || fstab=missing
    [ "$lines" != "UUID=$uuid $2 $type defaults,nofail 0 $check" ] || fstab=ours
    printf '{"device":%s,"mountPoint":%s,"is":"%s"' "$(json_string "$1")" "$(json_string "$2")" "$device_is"
    printf ',"sizeBytes":%s,"uuid":%s,"fileSystem":%s' "${size:-null}" "$(json_or_null "$uuid")" "$(json_or_null "$type")"
    printf ',"label":%s,"partitionTable":%s' "$(json_or_null "$label")" "$(json_or_null "$partitions")"
    printf ',"fstab":"%s","fstabLine":%s' "$fstab" "$(json_or_null "$lines")"
    mount_facts "$2"
    printf ',"immutable":%s}' "$(immutable "$2")"
}

# MOUNT_POINT -> the mounted part of the object
mount_facts() {
    set -f
    # shellcheck disable=SC2046 # the words are the fields
    set -- $(mounted_there "$1")
    set +f
    mounted_uuid='' writable=null
    if [ $# -gt 0 ]; then
        mounted_uuid=$(tag "$(path_of "$1")" UUID)
        case ,$3, in *,ro,* | *,emergency_ro,*) writable=false ;; *) writable=true ;; esac
    fi
    printf ',"mounted":%s,"mountedUuid":%s,"mountedFileSystem":%s,"writable":%s' \
        "$([ $# -gt 0 ] && echo true || echo false)" "$(json_or_null "$mounted_uuid")" "$(json_or_null "${2-}")" "$writable"
}

main() {
    for pair; do
        case $pair in
            /*:/*) ;;
            *)
                printf '%s: %s is not DEVICE:MOUNT_POINT\n' "$(uname -n)" "$pair" >&2
                exit 1 ;;
        esac
    done
    printf '{"hostname":%s,"bootId":%s' "$(json_string "$(uname -n)")" "$(json_or_null "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)")"
    printf ',"kernel":%s,"os":{"id":%s,"idLike":%s,"version":%s,"name":%s}' "$(json_string "$(uname -r)")" \
        "$(json_or_null "$(os_release ID)")" "$(json_or_null "$(os_release ID_LIKE)")" \
        "$(json_or_null "$(os_release VERSION_ID)")" "$(json_or_null "$(os_release PRETTY_NAME)")"
    printf ',"packages":{%s},"iscsid":%s,"iscsiadm":%s' "$(packages)" "$(json_boolean daemon_is_active iscsid)" "$(json_boolean iscsiadm --version)"
    printf ',"iscsidEnabled":%s,"initiatorName":%s' "$(json_boolean daemon_is_enabled iscsid)" \
        "$(json_boolean grep -q '^InitiatorName=..*' /etc/iscsi/initiatorname.iscsi)"
    printf ',"tools":{%s}' "$(commands bash curl findmnt grep awk blkid lsblk cryptsetup dmsetup)"
    printf ',"modules":{"iscsi_tcp":"%s","dm_crypt":"%s"},"nfsDefaultVersion":%s' \
        "$(module_state iscsi_tcp)" "$(module_state dm_crypt)" "$(json_or_null "$(nfs_default_version)")"
    printf ',"multipathd":%s,"mountPropagation":%s' "$(json_boolean daemon_is_active multipathd)" "$(json_or_null "$(mount_propagation)")"
    printf ',"nfs4InKernel":%s,"nfs4Loaded":%s,"disks":[' "$(json_or_null "$(nfs4_in_kernel)")" "$(json_boolean grep -qw nfs4 /proc/filesystems)"
    comma=
    for pair; do
        printf '%s' "$comma"
        # A device path may have colons of its own, as in /dev/disk/by-path.
        disk_facts "${pair%:/*}" "/${pair##*:/}"
        comma=,
    done
    printf ']}\n'
}

main "$@" </dev/null
