# shellcheck shell=sh disable=SC2154
# Installs on a node what Longhorn needs there (ensure): an iSCSI initiator with its daemon running,
# an NFS client, and the tools that prepare disks. It refuses to upgrade, downgrade or remove
# anything: what is there in any version stays as it is.
#
#   sh -s -- ensure [--xfs]
#
# --xfs  the node's disks are to be formatted with XFS, so its tools are needed too

DEBIAN_FRONTEND=noninteractive
export DEBIAN_FRONTEND

RUN_DIRECTORY=/run/longhorn-rancher
LOCK_SECONDS=600
LOCK_RETRY_SECONDS=5

# ---- the distribution -----------------------------------------------------------------------

# Sets family and the names its packages have there.
find_family() {
    ids="$(os_release ID) $(os_release ID_LIKE)"
    for id in $ids; do
        case $id in
            debian | ubuntu) family=debian packages="open-iscsi nfs-common" ;;
            rhel | fedora | centos | rocky | almalinux | ol | amzn) family=rhel packages="iscsi-initiator-utils nfs-utils" ;;
            suse | sles | sled | opensuse*) family=suse packages="open-iscsi nfs-client" ;;
            *) continue ;;
        esac
        packages="$packages e2fsprogs util-linux"
        return
    done
    refuse "this distribution (ID and ID_LIKE in /etc/os-release: $ids) is not of the Debian, RHEL or SUSE family" "Install an iSCSI initiator (iscsiadm, iscsid running), an NFS 4 client, e2fsprogs and util-linux by hand, and set packages: false for this node"
}

# ---- packages -------------------------------------------------------------------------------

missing_packages() {
    for package in $packages; do
        [ -n "$(installed_version "$package")" ] || printf '%s ' "$package"
    done
}

# The command that installs, without its package names
install_command() {
    case $image_manager:$family in
        rpm-ostree:*) echo "rpm-ostree install" ;;
        transactional-update:*) echo "transactional-update pkg install" ;;
        *:debian) echo "apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold" ;;
        *:rhel)
            # Waiting for the lock is done here, with a deadline; by themselves they wait for ever.
            if command -v dnf >/dev/null; then manager=dnf; else manager=yum; fi
            echo "$manager install -y --setopt=exit_on_lock=1" ;;
        *:suse) echo "zypper --non-interactive install --no-recommends" ;;
    esac
}

# What is installed into a running image is gone, or refused, with the next one.
refuse_image() {
    case $image_manager in
        '') return 0 ;;
        rpm-ostree | transactional-update) remedy="Install them on the node, then restart it: $(install_command) $*" ;;
        *) remedy="Build them into its image, and start the node from that: $(install_command) $*" ;;
    esac
    refuse "missing: $*, and /usr of this host is part of an image" "$remedy"
}

# FILE with the package manager's output: does it say that another one is at work? A lock that can't be
# opened at all is nobody's.
is_locked() {
    ! grep -qiE 'lock.*(permission denied|read-only file system|no space left|no such file)' "$1" || return 1
    grep -qiE '(could not|unable to|failed to|cannot|can.t|waiting for|another|existing|held|holding|management is)[^:]*[^a-z](lock|locked)([^a-z]|$)|locked by another|held by (process|pid)|lock taken by|another process using it|waiting for process with pid' "$1"
}

# COMMAND... -> runs it, again and again while another one holds the lock; shows its output only when
# it fails
run_package_manager() {
    mkdir -p "$RUN_DIRECTORY"
    log=$RUN_DIRECTORY/packages.$$
    deadline=$(($(date +%s) + LOCK_SECONDS)) told=no
    while :; do
        status=ok
        "$@" >"$log" 2>&1 || status=failed
        locked=no
        ! is_locked "$log" || locked=yes
        [ "$status" = ok ] || [ "$locked" = yes ] || cat "$log" >&2
        rm -f "$log"
        [ "$status" != ok ] || return 0
        [ "$locked" = yes ] || return 1
        [ "$(date +%s)" -lt "$deadline" ] || die "another package manager has held the lock for $LOCK_SECONDS seconds. Look for it (ps aux), let it end, then run again"
        [ "$told" = yes ] || say "another package manager is at work; waiting for it, $LOCK_SECONDS s at most"
        told=yes
        sleep "$LOCK_RETRY_SECONDS"
    done
}

install_packages() {
    say "installing $*"
    if [ "$family" = debian ]; then
        # A run that was killed may have left packages unpacked but not configured.
        run_package_manager dpkg --configure -a || say "warning: dpkg --configure -a failed, see above"
        run_package_manager apt-get update || say "warning: apt-get update failed, see above; trying with the lists at hand"
    fi
    # shellcheck disable=SC2046 # the words are the command
    if ! run_package_manager $(install_command) "$@"; then
        # A repository that was skipped, or a broken package of somebody else's, is an error for them, too.
        [ -z "$(missing_packages)" ] ||
            die "installing $* failed, see above. Check the node's repositories, or install by hand: $(install_command) $*"
        say "warning: the package manager ended with an error, see above, and has installed what was asked for"
    fi
}

ensure_packages() {
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086 # the words are the packages
    refuse_image $missing
    # shellcheck disable=SC2086 # the words are the packages
    install_packages $missing
    missing=$(missing_packages)
    [ -z "$missing" ] || die "still missing after the installation: $missing- see the package manager's words above"
}

# ---- the iSCSI daemon -----------------------------------------------------------------------

# Without a name of its own the node can log in to no volume. Packages make one, most of the time.
ensure_initiator_name() {
    names=/etc/iscsi/initiatorname.iscsi
    ! grep -qs '^InitiatorName=..*' "$names" || return 0
    name=$(iscsi-iname) || die "iscsi-iname failed, so $names cannot be written. Write a line InitiatorName=... there by hand"
    say "writing $names"
    printf 'InitiatorName=%s\n' "$name" >"$names.new"
    chmod 600 "$names.new"
    mv -f "$names.new" "$names"
}

start_iscsid() {
    if has_systemd; then
        # Two commands: not every systemd in use knows enable --now.
        { systemctl enable iscsid.service && systemctl start iscsid.service; } >&2 ||
            { systemctl enable iscsid.socket && systemctl start iscsid.socket; } >&2
    else
        service iscsid start >&2 || service open-iscsi start >&2
    fi
}

ensure_iscsid() {
    ensure_initiator_name
    if ! iscsid_is_active || ! iscsid_is_enabled; then
        say "starting iscsid"
        start_iscsid || say "warning: starting iscsid failed, see above"
    fi
    iscsid_is_active || die "iscsid does not run. Look at: systemctl status iscsid.service iscsid.socket, and whether this kernel has the module iscsi_tcp"
    iscsiadm --version >/dev/null 2>&1 || die "iscsiadm --version fails, and Longhorn's manager would crash on it. Reinstall the iSCSI initiator: $(install_command) ${packages%% *}"
}

# ---- actions --------------------------------------------------------------------------------

ensure() {
    [ "$(id -u)" = 0 ] || refuse "installing packages needs root" "Log in as root, or as a user with sudo"
    find_image_manager
    find_family
    for option; do
        case $option in
            --xfs) packages="$packages xfsprogs" ;;
            *) die "unknown option $option: use --xfs" ;;
        esac
    done
    ensure_packages
    ensure_iscsid
    printf '{"family":"%s","packages":{' "$family"
    comma=
    for package in $packages; do
        printf '%s%s:%s' "$comma" "$(json_string "$package")" "$(json_string "$(installed_version "$package")")"
        comma=,
    done
    printf '},"iscsid":"active"}\n'
}

main() {
    case ${1-} in
        ensure) "$@" ;;
        *) die "usage: packages.sh ensure [--xfs]" ;;
    esac
}

main "$@" </dev/null
