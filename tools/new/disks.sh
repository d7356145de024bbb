#!/bin/sh
# Lists the disks of a host and the names that they keep at a restart. Reads only.
# One line of JSON by lsblk, then NAME DEVICE for each link below /dev/disk/by-id.
set -eu
LC_ALL=C
export LC_ALL

lsblk --json --bytes --nodeps --paths --output NAME,TYPE,SIZE,MODEL,RO | tr -d '\n'
echo
for link in /dev/disk/by-id/*; do
    [ -b "$link" ] || continue
    printf '%s %s\n' "$link" "$(readlink -f "$link")"
done
