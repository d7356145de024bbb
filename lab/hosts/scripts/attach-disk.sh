#!/bin/sh
# Shows a block device to this lab host under its own name, as the kernel and udev would.
#   attach-disk NAME MAJOR:MINOR ID        attach-disk --remove NAME MAJOR:MINOR ID
set -eu

if [ "$1" = --remove ]; then
    shift
    rm -f "/dev/$1" "/dev/disk/by-id/$3" "/sys/dev/block/$2" "/sys/class/block/$1" "/sys/block/$1"
    rm -r "/sys/devices/virtual/block/$1"
    exit 0
fi

name=$1
number=$2
id=$3
mknod -m 660 "/dev/$name" b "${number%:*}" "${number#*:}"
chgrp disk "/dev/$name"
ln -s "../../$name" "/dev/disk/by-id/$id"

# The kernel calls the device loopN; its attributes are shown here under the host's name for it.
# Without "uevent" it is no device to libudev, so lsblk asks libblkid instead of a udev that is
# not there, and prints file systems and UUIDs as on any server.
attributes=/sys/devices/virtual/block/$name
mkdir "$attributes"
for attribute in /run/lab/sysfs/dev/block/"$number"/*; do
    [ "${attribute##*/}" = uevent ] || ln -s "$attribute" "$attributes/"
done
ln -s "../devices/virtual/block/$name" "/sys/block/$name"
ln -s "../../devices/virtual/block/$name" "/sys/class/block/$name"
ln -s "../../devices/virtual/block/$name" "/sys/dev/block/$number"
