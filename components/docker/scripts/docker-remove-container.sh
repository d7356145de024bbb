#!/bin/sh
# Stops and removes one container through the docker command of this host, if it has the label or
# the data.
#
#   sh -s -- CONTAINER_NAME LABEL=VALUE DATA DATA_PATH SECONDS
#
# DATA       volume, or folder of this host
# DATA_PATH  where the container has it
# SECONDS    how long the container may take to stop by itself
#
# The container's id on stdout if there was one; nothing if there was none.

set -eu
PATH="$PATH:/usr/local/bin:/usr/bin:/bin"
export PATH

container=$(docker ps --all --quiet --no-trunc --filter "name=^/$1\$")
[ -n "$container" ] || exit 0
labelled=$(docker ps --all --quiet --no-trunc --filter "id=$container" --filter "label=$2")
has_data=$(
    docker inspect --format '{{range .Mounts}}{{println .Name .Destination}}{{println .Source .Destination}}{{end}}' "$container" |
        grep -Fx -- "$3 $4" || :
)
[ -n "$labelled$has_data" ] || exit 0
docker stop -t "$5" "$container" >&2
docker rm --force "$container"
