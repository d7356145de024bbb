# shellcheck shell=sh disable=SC2154
# Tells what is so on a node, and changes nothing there: for previews, which compare it with what the
# stack asks for. It judges nothing; whether a disk may be used is for the disk's own script to say.
#
#   sh -s -- [DEVICE:MOUNT_POINT]...
#
# What cannot be found out is null.

# ---- the system -----------------------------------------------------------------------------

packages() {
    installed_versions open-iscsi iscsi-initiator-utils nfs-common nfs-utils nfs-client e2fsprogs xfsprogs \
        util-linux container-selinux rke2-selinux | {
        comma=
        while read -r package version; do
            printf '%s%s:%s' "$comma" "$(json_string "$package")" "$(json_string "$version")"
            comma=,
        done
    }
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
    # In file names of modules a hyphen is as good as an underscore; /sys has underscores alone.
    spelled=$(printf '%s' "$1" | sed 's/[-_]/[-_]/g')
    if [ -d "/sys/module/$(printf '%s' "$1" | tr - _)" ]; then
        echo loaded
    elif grep -qs "/$spelled\.ko" "$directory/modules.builtin"; then
        echo builtin
    elif grep -qs "/$spelled\.ko[.a-z0-9]*:" "$directory/modules.dep"; then
        echo available
    elif [ -r "$directory/modules.dep" ]; then
        echo missing
    else
        echo unknown
    fi
}

# -> enforcing, permissive, or nothing where SELinux is off
selinux_mode() {
    case $(cat /sys/fs/selinux/enforce 2>/dev/null) in
        1) echo enforcing ;;
        0) echo permissive ;;
    esac
}

# PATH, there or not: could no program that lies there be run?
is_noexec() {
    above=$1
    while [ ! -e "$above" ]; do above=$(dirname "$above"); done
    case ,$(findmnt -nro OPTIONS -T "$above"), in
        *,noexec,*) return 0 ;;
        *) return 1 ;;
    esac
}

# The NFS version that mounts without one get; empty if nothing is said about it
nfs_default_version() {
    cat /etc/nfsmount.conf /etc/nfsmount.conf.d/*.conf 2>/dev/null |
        sed -n 's/^[[:space:]]*\([Dd]efault\|[Nn]fs\)\{0,1\}[Vv]ers[[:space:]]*=[[:space:]]*"\{0,1\}\([0-9.]*\).*/\2/p' | tail -n 1
}

# How this kernel was built to speak NFS 4: y, m or n; empty if its configuration is not here
nfs4_in_kernel() {
    # Beside the modules it lies where the kernel is part of an image.
    for config in "/boot/config-$(uname -r)" "/lib/modules/$(uname -r)/config"; do
        [ ! -r "$config" ] || break
    done
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

# MOUNT_POINT -> the options of the topmost mount there; empty if nothing is mounted
mounted_there() {
    awk -v target="$1" '
        $5 == target {
            for (separator = 7; $separator != "-"; separator++);
            found = $6 "," $(separator + 3)
        }
        END { if (found) print found }' /proc/self/mountinfo
}

# MOUNT_POINT -> its directory's attribute letters, mounted over or not; empty if there is none
directory_attributes() {
    if [ -z "$(mounted_there "$1")" ]; then lsattr -d "$1" 2>/dev/null; else beneath "$1" lsattr -d 2>/dev/null; fi | cut -d ' ' -f 1
}

# PATH, there or not: would what is written there be on the root file system?
is_on_root() {
    above=$1
    while [ ! -e "$above" ]; do above=$(dirname "$above"); done
    [ "$(stat -L -c %d "$above")" = "$(stat -c %d /)" ]
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
    uuid='' type='' device_is=missing
    if [ -b "$1" ]; then
        device_is=disk uuid=$(tag "$1" UUID) type=$(tag "$1" TYPE)
    elif [ -e "$1" ]; then
        device_is=other
    fi
    there=$(mounted_there "$2") mounted=true writable=true
    case ,${there##* }, in
        ,,) mounted=false writable=null ;;
        *,ro,* | *,emergency_ro,*) writable=false ;;
    esac
    printf '{"device":%s,"mountPoint":%s,"is":"%s"' "$(json_string "$1")" "$(json_string "$2")" "$device_is"
    printf ',"uuid":%s,"fileSystem":%s' "$(json_or_null "$uuid")" "$(json_or_null "$type")"
    printf ',"fstabLine":%s,"mounted":%s,"writable":%s' "$(json_or_null "$(fstab_lines "$2")")" "$mounted" "$writable"
    printf ',"onRoot":%s,"immutable":%s}' "$(json_boolean is_on_root "$2")" "$(immutable "$2")"
}

main() {
    for pair; do
        case $pair in
            /*:/*) ;;
            *) die "$pair is not DEVICE:MOUNT_POINT" ;;
        esac
    done
    printf '{"hostname":%s,"kernel":%s' "$(json_string "$host")" "$(json_string "$(uname -r)")"
    printf ',"bootId":%s' "$(json_or_null "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)")"
    printf ',"os":{"id":%s,"idLike":%s}' "$(json_or_null "$(os_release ID)")" "$(json_or_null "$(os_release ID_LIKE)")"
    printf ',"packages":{%s},"iscsid":%s,"iscsiadm":%s' "$(packages)" "$(json_boolean iscsid_is_active)" "$(json_boolean iscsiadm --version)"
    printf ',"iscsidEnabled":%s,"initiatorName":%s' "$(json_boolean iscsid_is_enabled)" \
        "$(json_boolean grep -q '^InitiatorName=..*' /etc/iscsi/initiatorname.iscsi)"
    printf ',"tools":{%s}' "$(commands bash curl findmnt grep awk blkid lsblk cryptsetup dmsetup)"
    printf ',"modules":{"iscsi_tcp":"%s","dm_crypt":"%s"},"nfsDefaultVersion":%s' \
        "$(module_state iscsi_tcp)" "$(module_state dm_crypt)" "$(json_or_null "$(nfs_default_version)")"
    printf ',"multipathd":%s,"mountPropagation":%s' "$(json_boolean daemon_is_active multipathd)" "$(json_or_null "$(mount_propagation)")"
    find_image_manager
    printf ',"selinux":%s,"imageManager":%s' "$(json_or_null "$(selinux_mode)")" "$(json_or_null "$image_manager")"
    printf ',"enginesNoexec":%s' "$(json_boolean is_noexec /var/lib/longhorn/engine-binaries)"
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
