#!/bin/sh
# The first process of a lab host: boots it, reaps orphans, and shuts down on SIGTERM.
# It stands in for an init system; /usr/bin/systemctl (beside it) stands in for systemd's.
set -u

shut_down() {
    trap '' TERM
    kill -TERM -1 2>/dev/null
    # Every process gets a moment to end; the kernel ends what is left with this one.
    tries=0
    while [ "$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)" -gt 4 ] && [ "$tries" -lt 20 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -KILL -1 2>/dev/null
    umount --all --types ext4,xfs,ext3,ext2
    exit 0
}
trap shut_down TERM

# As systemd does on a server, so that mounts made on the host reach containers.
mount --make-rshared /
hostname "$(cat /etc/hostname)"
ip link set lo up
mkdir -p /run/lock /run/sshd /run/sendsigs.omit.d /run/lab/units /run/systemd/system
ln -sfn /run /var/run
# A host that shares the lab's Docker socket (lab.docker_host) offers it where clients look.
[ ! -d /run/lab/docker ] || ln -s lab/docker/docker.sock /run/docker.sock

for disk in $LAB_DISKS; do
    IFS=, read -r name number id <<END
$disk
END
    /usr/lib/lab/attach-disk "$name" "$number" "$id"
done
unset LAB_DISKS

mount --all || echo "mount --all: exit status $?"
# ssh by name, because where a release leaves it to its socket, nothing would start it here.
# shellcheck disable=SC2046 # unit names have no blanks
systemctl start ssh $(find /etc/systemd/system -path '*.wants/*' -type l -printf '%f\n' | sort -u)
echo "booted"

while :; do
    sleep 3600 &
    # Any child that ends is reaped here, orphans of the host's processes too.
    wait $!
done
