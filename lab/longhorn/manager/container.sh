#!/bin/sh
# Runs a program as the container of a pod would, on a lab host: with a root of its own, the host's
# processes under /host/proc and the pod's service account. Runs on the lab's machine as root, in
# the host's net, uts, ipc and pid namespaces and in a mount namespace of its own.
#   container.sh BASE_TREE POD_DIRECTORY PROGRAM COMMAND [ARGUMENT …]
# POD_DIRECTORY holds `account`, the service account's files. PROGRAM is found under its name.
set -eu

base=$1
pod=$2
program=$3
shift 3

mkdir -p "$pod/mount"
mount -t tmpfs -o mode=755 tmpfs "$pod/mount"
mkdir "$pod/mount/upper" "$pod/mount/work" "$pod/mount/root"
root=$pod/mount/root
mount -t overlay \
    -o "lowerdir=$base,upperdir=$pod/mount/upper,workdir=$pod/mount/work" overlay "$root"
mkdir -p "$root/host/proc" "$root/run/secrets/kubernetes.io"
# Both are the host's: its pid namespace is where this runs.
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t proc -o nosuid,nodev,noexec proc "$root/host/proc"
mount -t tmpfs -o nosuid,mode=755,size=1m tmpfs "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
cp -R "$pod/account" "$root/run/secrets/kubernetes.io/serviceaccount"
: >"$root/usr/local/sbin/${program##*/}"
mount --bind "$program" "$root/usr/local/sbin/${program##*/}"

cd "$root"
pivot_root . .
umount -l .
exec chroot . "$@"
