#!/bin/sh
# First process of the lab's Docker engine, in mount and pid namespaces of its own: what Docker
# mounts and starts is gone with it.
#   docker-engine.sh DATA_DEVICE ENGINE_DIRECTORY DOCKERD [its arguments …]
set -eu

device=$1
directory=$2
shift 2

mkdir -p "$directory/data" "$directory/machine-run"
mount -t ext4 -o noatime "$device" "$directory/data"

# Docker would join a containerd that it finds in /run, and its shims leave their sockets there. So
# the Docker engine has a /run of its own, with links to all else that the machine's holds (a name
# server's address, for one).
mount --bind /run "$directory/machine-run"
mount -t tmpfs -o mode=755 tmpfs /run
for entry in "$directory"/machine-run/*; do
    case ${entry##*/} in
    containerd | docker*) ;;
    *) ln -s "$entry" /run/ ;;
    esac
done

"$@" &
dockerd=$!
trap 'kill -TERM $dockerd' TERM
# A trapped signal ends the first wait early; the second one is for dockerd's own end.
wait "$dockerd" || :
wait "$dockerd"
