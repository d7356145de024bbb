#!/bin/sh
# Runs a command with a volume mounted, as the CSI driver and the kubelet of a node would have it. To
# be run as root in a mount namespace of its own: when that ends, nothing is mounted any more.
#   in-volume.sh IMAGE FILE_SYSTEM FOLDER COMMAND [ARGUMENT …]
# A volume without a file system gets one first.
set -eu

image=$1
kind=$2
folder=$3
shift 3

if ! blkid -p "$image" >/dev/null 2>&1; then
    case $kind in
        xfs) mkfs.xfs -q "$image" ;;
        *) mkfs.ext4 -q -F -m 0 "$image" ;;
    esac
fi
mkdir -p "$folder"
mount -o loop "$image" "$folder"
status=0
"$@" || status=$?
umount "$folder"
exit "$status"
