# shellcheck shell=sh disable=SC2034
# What kind of system the host is: for node-facts.sh and for packages.sh, so that both see the same.

# KEY -> its value in os-release, unquoted
os_release() {
    for file in /etc/os-release /usr/lib/os-release; do
        [ -r "$file" ] || continue
        sed -n "s/^$1=//p" "$file" | tail -n 1 | sed "s/^[\"']//; s/[\"']\$//"
        return
    done
}

# Sets the way in which an image-based system gets its packages; empty on an ordinary one.
find_image_manager() {
    image_manager=
    if [ -e /run/ostree-booted ]; then
        if command -v rpm-ostree >/dev/null; then image_manager=rpm-ostree; else image_manager=bootc; fi
    elif command -v transactional-update >/dev/null && is_read_only /usr; then
        image_manager=transactional-update
    elif is_read_only /usr; then
        image_manager=image
    fi
}

# PATH: is its file system mounted read-only?
is_read_only() {
    case ,$(findmnt -nro OPTIONS -T "$1" 2>/dev/null), in
        *,ro,*) return 0 ;;
        *) return 1 ;;
    esac
}

# PACKAGE... -> a line "PACKAGE VERSION" for each that is installed; the others may be another system's
installed_versions() {
    {
        dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' "$@" 2>/dev/null || :
        # Either of both may be on a host of the other kind, and then knows no package.
        rpm -q --qf 'installed %{NAME} %{VERSION}-%{RELEASE}\n' "$@" 2>/dev/null || :
    } | awk '$1 == "installed" { version[$2] = $3 } END { for (name in version) print name, version[name] }'
}

# PACKAGE -> its installed version; empty if it is not installed, or another system's name
installed_version() { installed_versions "$1" | cut -d ' ' -f 2; }

# NAME of a daemon: does it run, whatever the name of the service that started it?
daemon_is_active() {
    if has_systemd && { systemctl is-active --quiet "$1.service" || systemctl is-active --quiet "$1.socket"; }; then
        return 0
    fi
    grep -qsx "$1" /proc/[0-9]*/comm
}

# UNIT of systemd: does it start at boot?
unit_is_enabled() { systemctl is-enabled --quiet "$1" 2>/dev/null; }

iscsid_is_active() { daemon_is_active iscsid; }

# By a unit of its own, or by the one that logs in to targets, where that one pulls it in.
iscsid_is_enabled() {
    has_systemd || return 0
    ! unit_is_enabled iscsid.service || return 0
    ! unit_is_enabled iscsid.socket || return 0
    for unit in iscsi.service open-iscsi.service; do
        ! unit_is_enabled "$unit" || ! systemctl show -p Requires -p Wants "$unit" 2>/dev/null | grep -q iscsid || return 0
    done
    return 1
}
