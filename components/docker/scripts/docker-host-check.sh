#!/bin/sh
# Tells what a Docker host has for Rancher: memory, who listens on two ports, free disk space.
# Changes nothing and judges nothing.
#
#   sh -s -- HTTP_PORT HTTPS_PORT FOLDER
#
# FOLDER is where the data is to lie; one that is not there yet counts as its nearest parent.
# Needs no root; without it the processes behind other users' ports have no name. The result is one
# line of JSON on stdout; what cannot be found out is null.

set -eu
LC_ALL=C
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export LC_ALL PATH

number_or_null() { case $1 in '' | *[!0-9]*) printf null ;; *) printf '%s' "$1" ;; esac; }

memory_bytes() {
    [ ! -r /proc/meminfo ] || awk '$1 == "MemTotal:" { printf "%.0f", $2 * 1024 }' /proc/meminfo
}

# The kernel writes addresses as whole numbers of the machine's own byte order.
byte_order() {
    case $(printf '\001\000' | od -An -tu2 | tr -d ' ') in 1) echo little ;; *) echo big ;; esac
}

# PORT... -> lines "PORT ADDRESS INODE", the address as the kernel writes it
listening() {
    for file in /proc/net/tcp /proc/net/tcp6; do
        [ ! -r "$file" ] || awk -v ports="$*" '
            BEGIN {
                count = split(ports, list, " ")
                for (i = 1; i <= count; i++) wanted[sprintf("%04X", list[i])] = list[i]
            }
            $4 == "0A" {
                split($2, end, ":")
                if (end[2] in wanted) print wanted[end[2]], end[1], $10
            }' "$file"
    done
}

# INODE -> name of the process that holds the socket; empty if it may not be seen
holder() {
    { ls -l /proc/[0-9]*/fd 2>/dev/null || :; } | awk -v socket="socket:[$1]" '
        /^\/proc\/[0-9]+\/fd:$/ { split($0, part, "/"); process = part[3] }
        $NF == socket { print process; exit }' |
        while read -r process; do
            # A name can hold anything; only what is plain is told.
            tr -cd 'A-Za-z0-9._-' <"/proc/$process/comm" 2>/dev/null || :
        done
}

listeners() {
    comma=
    listening "$@" | while read -r port address inode; do
        printf '%s{"port":%s,"address":"%s","process":"%s"}' \
            "$comma" "$port" "$address" "$(holder "$inode")"
        comma=,
    done
}

# FOLDER -> bytes that may still be written there
free_bytes() {
    folder=$1
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    df -P -k "$folder" 2>/dev/null | awk 'NR == 2 { printf "%.0f", $4 * 1024 }'
}

http_port=$1
https_port=$2
folder=$3
printf '{"memoryBytes":%s,"byteOrder":"%s","listeners":[%s],"freeBytes":%s}\n' \
    "$(number_or_null "$(memory_bytes)")" "$(byte_order)" \
    "$(listeners "$http_port" "$https_port")" "$(number_or_null "$(free_bytes "$folder")")"
