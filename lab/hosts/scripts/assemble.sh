#!/bin/sh
# Builds one lab host's root from its overlay and becomes that host's first process.
# Runs on the lab's machine as root, in mount, pid, uts, ipc and net namespaces made for the host.
#   assemble.sh BASE_TREE HOST_DIRECTORY DISKS [SOURCE:TARGET ...]
# DISKS: "sdb,7:3,ID sdc,7:4,ID". Each SOURCE is bind mounted read-write on TARGET in the host.
set -eu

base=$1
host=$2
disks=$3
shift 3
root=$host/root

mount -t overlay -o "lowerdir=$base,upperdir=$host/upper,workdir=$host/work" overlay "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o nosuid,mode=755 tmpfs "$root/run"
mount -t tmpfs -o nosuid,mode=755,size=1m tmpfs "$root/dev"

for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 666 "$root/dev/tty" c 5 0
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/disk" "$root/dev/disk/by-id"
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o nosuid,nodev tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

# The machine's own disks and those of other hosts are hidden; attach-disk adds this host's.
mkdir "$root/run/lab" "$root/run/lab/sysfs"
mount --bind "$root/sys" "$root/run/lab/sysfs"
for directory in block class/block dev/block devices/virtual/block; do
    mount -t tmpfs -o nosuid,nodev,noexec,mode=755,size=64k tmpfs "$root/sys/$directory"
done

# A host that starts again has a new boot id, as after a real boot.
cat "$host/boot_id" >"$root/run/boot_id"
mount --bind "$root/run/boot_id" "$root/proc/sys/kernel/random/boot_id"

for pair in "$@"; do
    target=$root${pair#*:}
    if [ -d "${pair%%:*}" ]; then
        mkdir -p "$target"
    else
        mkdir -p "${target%/*}"
        : >>"$target"
    fi
    mount --bind "${pair%%:*}" "$target"
done

cd "$root"
# The old root ends up under the new one and is then let go, so no path leads back to it.
pivot_root . .
umount -l .
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LAB_DISKS="$disks" \
    chroot . /usr/lib/lab/init
