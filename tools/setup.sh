#!/bin/sh
# Installs the system packages that the lab and the tests use, those that are missing only.
# Debian and Ubuntu; elsewhere it says what to install.
set -eu

packages='btrfs-progs busybox cryptsetup-bin debootstrap dosfstools e2fsprogs fdisk iproute2
kmod lvm2 mdadm openssh-client openssl shellcheck util-linux xfsprogs'

if ! command -v apt-get >/dev/null 2>&1; then
    echo "This is not Debian or Ubuntu. Install what provides these, if it is missing:" >&2
    echo "$packages" >&2
    exit 0
fi

missing=''
for package in $packages; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=''
if [ "$(id -u)" -ne 0 ]; then
    as_root='sudo'
fi
echo "Installing$missing …" >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update --quiet=2
# One word a package, on purpose.
# shellcheck disable=SC2086
$as_root apt-get install --quiet=2 --yes --no-install-recommends $missing >/dev/null
