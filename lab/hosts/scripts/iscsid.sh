#!/bin/sh
# Starts Open-iSCSI's daemon; where this kernel has no iSCSI at all, a stand-in takes its place.
# The stand-in serves no volume: it only lets the service be started, stopped and asked about.
set -eu

/lib/open-iscsi/startup-checks.sh
# The kernel's part answers on netlink protocol 8 (NETLINK_ISCSI). Where nothing does, iscsid goes
# to the background, reports success and ends.
if awk '$2 == 8 { found = 1 } END { exit !found }' /proc/net/netlink; then
    exec /sbin/iscsid
fi
echo "lab stand-in for iscsid: this kernel has no iSCSI" >&2
setsid sh -c 'while :; do sleep 86400; done' lab-stand-in-for-iscsid </dev/null >/dev/null 2>&1 &
echo $! >/run/iscsid.pid
