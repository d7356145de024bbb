"""Stand-ins for the package managers and systemd of the distributions that a node may run.

They keep their state in files of the sandbox and write every call down, so that a test can see
what would have been done on such a host. They stand in for nothing else: which distribution a host
claims to be is written to its own /etc/os-release.
"""

from __future__ import annotations

from tests.scripts.sandbox import Sandbox

TOOLS = "/opt/test/bin"

OS_RELEASES = {
    "Debian 12": ("debian", 'ID=debian\nVERSION_ID="12"\n'),
    "Ubuntu 22.04": ("debian", "ID=ubuntu\nID_LIKE=debian\n"),
    "Linux Mint": ("debian", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n'),
    "Rocky Linux 8": ("rhel", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="8.9"\n'),
    "Rocky Linux 9": ("rhel", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"\n'),
    "Oracle Linux 9": ("rhel", 'ID="ol"\nID_LIKE="fedora"\n'),
    "Amazon Linux 2023": ("rhel", 'ID="amzn"\nID_LIKE="fedora"\n'),
    "CentOS 7": ("rhel", 'NAME="CentOS Linux"\nID="centos"\nID_LIKE="rhel fedora"\n'),
    "SLES 15": ("suse", 'ID="sles"\nID_LIKE="suse"\n'),
    "openSUSE Leap": ("suse", 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n'),
    "openSUSE Tumbleweed": ("suse", "ID='opensuse-tumbleweed'\nID_LIKE='opensuse suse'\n"),
}
PACKAGES = {
    "debian": ["open-iscsi", "nfs-common", "e2fsprogs", "util-linux"],
    "rhel": ["iscsi-initiator-utils", "nfs-utils", "e2fsprogs", "util-linux"],
    "suse": ["open-iscsi", "nfs-client", "e2fsprogs", "util-linux"],
}

_RECORD = 'echo "${0##*/} $*" >>/run/calls\n'
# Installs every argument that is not an option, unless a test says that it must not work.
_INSTALL = """
if [ -s /run/locked ]; then
    sed -i 1d /run/locked
    echo "$LOCK_MESSAGE" >&2
    exit 1
fi
for word; do last=$word; done
case " $* " in
*" install "*)
    [ ! -e /run/broken ] || { echo 'no repository answers' >&2; exit 100; }
    for word; do
        case $word in -* | install | Dpkg::*) ;; *) echo 1.0-1 >"/run/installed/$word" ;; esac
    done ;;
esac
"""
_TOOLS = {
    # Both take their format as a word before the packages.
    "dpkg-query": """
[ "$1 $2 $3" = '-W -f ${db:Status-Status} ${Package} ${Version}\\n' ] || exit 2
shift 3
for package; do
    if [ -e "/run/installed/$package" ]; then
        state=$(cat /run/state 2>/dev/null || echo installed)
        echo "$state $package $(cat "/run/installed/$package")"
    else
        echo "no packages found matching $package" >&2
        status=1
    fi
done
exit "${status-0}"
""",
    "rpm": """
[ "$1 $2 $3" = '-q --qf installed %{NAME} %{VERSION}-%{RELEASE}\\n' ] || exit 2
shift 3
for package; do
    if [ -e "/run/installed/$package" ]; then
        echo "installed $package $(cat "/run/installed/$package")"
    else
        echo "package $package is not installed"
        status=1
    fi
done
exit "${status-0}"
""",
    "dpkg": "",
    "apt-get": "LOCK_MESSAGE='E: Could not get lock /var/lib/dpkg/lock-frontend.'" + _INSTALL,
    "dnf": "LOCK_MESSAGE='Failed to obtain the transaction lock (logged in as: root).'" + _INSTALL,
    "yum": "LOCK_MESSAGE='Another app is currently holding the yum lock; exiting'" + _INSTALL,
    "zypper": "LOCK_MESSAGE='System management is locked by the application.'" + _INSTALL,
    "systemctl": """
for unit; do :; done
case $1 in
is-active) [ -e "/run/active/$unit" ] ;;
is-enabled) [ -e "/run/enabled/$unit" ] ;;
enable) [ ! -e "/run/broken-units/$unit" ] && : >"/run/enabled/$unit" ;;
start) [ ! -e "/run/broken-units/$unit" ] && : >"/run/active/$unit" ;;
esac
""",
    "iscsiadm": "[ ! -e /run/broken-iscsiadm ]\n",
    "iscsi-iname": "echo iqn.2005-03.org.open-iscsi:abcdef\n",
    # Waiting is seen in the calls; it need not take its time.
    "sleep": "",
}
MANAGERS = {"debian": "apt-get", "rhel": "dnf", "suse": "zypper"}


def become(host: Sandbox, distribution: str, *, manager: str = "") -> list[str]:
    """Makes `host` look like `distribution`; returns the packages that it needs there.

    `manager` is the package manager to have instead of the family's usual one.
    """
    family, os_release = OS_RELEASES[distribution]
    host.shell("rm -f /etc/os-release; mkdir -p /run/systemd/system /run/installed")
    host.shell("mkdir -p /run/active /run/enabled /run/broken-units /etc/iscsi; : >/run/calls")
    host.write_text("/etc/os-release", os_release)
    query = ["dpkg-query", "dpkg"] if family == "debian" else ["rpm"]
    for name in [*query, manager or MANAGERS[family], "systemctl", "iscsiadm", "iscsi-iname"]:
        add_tool(host, name, _TOOLS[name])
    add_tool(host, "sleep", _TOOLS["sleep"])
    # The machine's own programs are read-only in a sandbox, and no part of an image all the same.
    add_tool(host, "findmnt", "echo rw,relatime\n")
    return PACKAGES[family]


def add_tool(host: Sandbox, name: str, text: str) -> None:
    host.write_text(f"{TOOLS}/{name}", "#!/bin/sh\n" + _RECORD + text)
    host.shell(f"chmod +x {TOOLS}/{name}")


def have_installed(host: Sandbox, *packages: str, version: str = "9.9-9") -> None:
    for package in packages:
        host.shell(f"echo {version} >/run/installed/{package}")


def calls(host: Sandbox, *words: str) -> list[str]:
    """The calls so far that have all of `words` in them."""
    lines = host.read_text("/run/calls").splitlines()
    return [line for line in lines if all(word in line for word in words)]
