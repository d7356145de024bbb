#!/bin/sh
# Tells what a Docker host has for Rancher: memory, who listens on two ports, to whom the packet
# filter hands them, free disk space, and which packet filters the kernel has. Changes nothing and
# judges nothing.
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

# PORT... -> those that NAT hands on to something other than Docker, as a JSON list, such as the
# hostPort of a pod; null without the right to look
forwarded_ports() {
    rules=$(iptables -w 5 -t nat -S 2>/dev/null) || { printf null; return; }
    printf '%s\n' "$rules" | awk -v ports="$*" '
        BEGIN { count = split(ports, list, " ") }
        $2 != "DOCKER" && / -p tcp / && / -j (DNAT|CNI-|REDIRECT)/ {
            for (field = 3; field < NF; field++)
                if ($field ~ /^--d?ports?$/ || $field == "--dports") {
                    wanted = $(field + 1)
                    many = split(wanted, parts, ",")
                    for (i = 1; i <= count; i++)
                        for (k = 1; k <= many; k++)
                            if (parts[k] == list[i]) found[list[i]] = 1
                }
        }
        END {
            printf "["
            for (i = 1; i <= count; i++)
                if (list[i] in found) { printf "%s%s", comma, list[i]; comma = "," }
            printf "]"
        }'
}

# -> which of ip_tables and nf_tables the kernel has or can load, as a JSON list; null if its list of
# modules is not to be seen here
packet_filters() {
    folder=/lib/modules/$(uname -r)
    [ -r "$folder/modules.dep" ] || [ -d /sys/module/nf_tables ] || [ -d /sys/module/ip_tables ] ||
        { printf null; return; }
    comma=
    printf '['
    for module in ip_tables nf_tables; do
        file=$(printf '%s' "$module" | sed 's/_/[-_]/g')
        if [ -d "/sys/module/$module" ] ||
            grep -qs "/$file\.ko" "$folder/modules.dep" "$folder/modules.builtin"; then
            printf '%s"%s"' "$comma" "$module"
            comma=,
        fi
    done
    printf ']'
}

http_port=$1
https_port=$2
folder=$3
printf '{"memoryBytes":%s,"byteOrder":"%s","listeners":[%s],"freeBytes":%s,' \
    "$(number_or_null "$(memory_bytes)")" "$(byte_order)" \
    "$(listeners "$http_port" "$https_port")" "$(number_or_null "$(free_bytes "$folder")")"
printf '"forwardedPorts":%s,"packetFilters":%s}\n' \
    "$(forwarded_ports "$http_port" "$https_port")" "$(packet_filters)"
