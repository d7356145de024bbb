#!/bin/sh
# Backs up Rancher's data, in a container beside Rancher's, made from the same image.
#
#   backup.sh loop CONTAINER NAME VERSION AT PERIOD KEEP
#       Makes an archive every PERIOD seconds, AT seconds after midnight UTC, and keeps the last
#       KEEP. NAME is the beginning of their names. VERSION is Rancher's.
#   backup.sh now
#       Asks that loop for one more, and waits for it.
#   backup.sh ready CONTAINER
#       Whether a backup could be made: Docker tells of CONTAINER, and the folder can be written to.
#   backup.sh newest
#       Prints the name of the newest archive, if there is one. Changes nothing.
#
# CONTAINER is stopped meanwhile, as Rancher's documentation asks (Backing up Rancher Installed with
# Docker), unless somebody else has stopped it. Whatever ends this, Rancher is started again: at once
# where the container is told to stop, else as soon as Docker starts it again, by the mark that is
# left in the folder. A start that fails is tried again until it succeeds. An archive has its name only
# when it is whole, and was made of data that nobody wrote to. Files of other names are never touched.
#
# /var/lib/rancher, /backup and /docker.sock are mounted; BACKUP_ROOT stands before them in tests.
set -eu
umask 077

root=${BACKUP_ROOT-}
data=$root/var/lib/rancher
folder=$root/backup
mark=$folder/.rancher-stopped
request=$folder/.requested
said=$folder/.said
stop_seconds=60
packing=

clear_away() {
    (cd "$folder" && rm -f .unfinished .errors .state .result .told .requested)
}

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$1"; }

# METHOD PATH -> the answer. Fails where Docker can't be reached, or refuses.
docker() {
    curl -sSf --max-time 120 --unix-socket "$root/docker.sock" -X "$1" "http://docker$2"
}

is_running() {
    docker GET "/containers/$container/json" >"$folder/.state" || return 2
    state=$(grep -o '"Running": *[a-z]*' "$folder/.state" | head -n 1)
    rm -f "$folder/.state"
    case $state in *true) return 0 ;; *) return 1 ;; esac
}

start_rancher() {
    if [ -e "$mark" ]; then
        docker POST "/containers/$container/start" >/dev/null || return 1
        rm -f "$mark"
    fi
}

try_again() {
    [ -e "$mark" ] || return 0
    # Once in two seconds is too often for what it says.
    ! start_rancher 2>/dev/null || say "container $container is started again"
}

# However often it is told to end: Rancher runs again first.
end() {
    trap '' TERM INT
    [ -z "$packing" ] || kill "$packing" 2>/dev/null || :
    clear_away
    start_rancher || say "container $container could not be started: docker start $container"
    exit 143
}

archives() {
    # Nothing but what this script has made.
    day='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
    (cd "$folder" && ls -1 2>/dev/null) | grep "^$1-${day}T[0-9]*Z-.*\.tar\.gz$" | sort || :
}

prune() {
    count=$(archives "$name" | wc -l)
    archives "$name" | head -n "$((count > keep ? count - keep : 0))" | while read -r old; do
        rm -f "$folder/$old"
    done
}

# Prints the archive's name, and below it where Rancher is not started yet. Fails with what is wrong
# on standard output.
back_up() {
    archive=$name-$(date -u +%Y%m%dT%H%M%SZ)-$version.tar.gz
    code=0
    is_running || code=$?
    [ "$code" != 2 ] || { echo "Docker does not tell of container $container"; return 1; }
    if [ "$code" = 0 ]; then
        touch "$mark" || { echo "nothing can be written to the folder"; return 1; }
        sync
        if ! docker POST "/containers/$container/stop?t=$stop_seconds" >/dev/null; then
            start_rancher || :
            echo "container $container could not be stopped"
            return 1
        fi
    fi
    tar -czf "$folder/.unfinished" -C "$data" . 2>"$folder/.errors" &
    packing=$!
    code=0
    wait "$packing" || code=$?
    packing=
    problem=
    [ "$code" = 0 ] || problem="tar: $(tail -n 1 "$folder/.errors")"
    rm -f "$folder/.errors"
    ! is_running || problem="container $container was started while its data was packed"
    late=
    start_rancher || late="container $container could not be started yet, and is tried again"
    if [ -z "$problem" ] && ! gzip -t "$folder/.unfinished"; then
        problem="the archive is broken"
    fi
    if [ -n "$problem" ]; then
        rm -f "$folder/.unfinished"
        echo "$problem${late:+; $late}"
        return 1
    fi
    sync
    mv "$folder/.unfinished" "$folder/$archive"
    prune
    echo "$archive"
    [ -z "$late" ] || echo "$late"
}

run() {
    # Not in a subshell: a signal is to reach this one.
    if back_up >"$folder/.result"; then
        say "made $(cat "$folder/.result")"
    else
        say "no backup: $(cat "$folder/.result")"
        printf 'no backup: ' | cat - "$folder/.result" >"$folder/.told"
        mv "$folder/.told" "$folder/.result"
    fi
    [ ! -e "$request" ] || mv "$folder/.result" "$said"
    rm -f "$folder/.result" "$request"
}

plan() {
    next=$((($(date +%s) - at) / period * period + period + at))
    say "the next backup is due in $((next - $(date +%s))) s"
}

loop() {
    trap end TERM INT
    clear_away
    rm -f "$said"
    # One that was killed, or a host without power, has left Rancher stopped.
    until start_rancher; do
        say "container $container could not be started yet"
        sleep 5 &
        wait $!
    done
    plan
    while :; do
        if [ "$(date +%s)" -ge "$next" ]; then
            run
            plan
        elif [ -e "$request" ]; then
            run
        fi
        try_again
        sleep 2 &
        wait $!
    done
}

case $1 in
    loop)
        container=$2 name=$3 version=$4 at=$5 period=$6 keep=$7
        loop
        ;;
    now)
        rm -f "$said"
        : >"$request"
        while [ -e "$request" ]; do sleep 1; done
        [ -e "$said" ] || { echo "the backup was interrupted" >&2; exit 1; }
        result=$(cat "$said")
        rm -f "$said"
        case $result in "no backup: "*) echo "$result" >&2; exit 1 ;; esac
        echo "$result"
        ;;
    ready)
        docker GET "/containers/$2/json" >/dev/null || {
            echo "Docker does not tell of container $2 on the socket that it was given"
            exit 1
        }
        : >"$folder/.ready" && rm -f "$folder/.ready"
        ;;
    newest)
        archives "$2" | tail -n 1
        ;;
    *)
        echo "backup.sh: loop, now, ready or newest" >&2
        exit 2
        ;;
esac
