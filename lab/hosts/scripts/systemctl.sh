#!/bin/sh
# systemctl of a lab host: a stand-in for systemd's command, since the host has no systemd.
# Unit files, enabling and answers are as in the real one. It really runs ssh and iscsid; of any
# other unit it only remembers that it was started (status says so).
set -eu

active=/run/lab/units

quiet=false now=false value=false properties=
words=
while [ $# -gt 0 ]; do
    case $1 in
    -q | --quiet) quiet=true ;;
    --now) now=true ;;
    --value) value=true ;;
    -p | --property) properties="$properties $2" && shift ;;
    -p*) properties="$properties ${1#-p}" ;;
    --property=*) properties="$properties ${1#--property=}" ;;
    --version) echo "lab stand-in for systemctl" && exit 0 ;;
    -*) ;;
    *) words="$words $1" ;;
    esac
    shift
done
# shellcheck disable=SC2086 # unit names have no blanks
set -- $words
verb=${1:-list-units}
[ $# -eq 0 ] || shift

# The unit's file, or nothing where there is no such unit.
unit_file() {
    for directory in /etc/systemd/system /run/systemd/system /lib/systemd/system; do
        if [ -e "$directory/$1" ]; then
            readlink -f "$directory/$1"
            return
        fi
    done
}

is_masked() { [ "$(readlink -f "/etc/systemd/system/$1")" = /dev/null ]; }

# With its suffix, and an alias (sshd) resolved to the unit that it names.
full_name() {
    case $1 in
    *.service | *.socket | *.target | *.mount | *.timer | *.path) unit_name=$1 ;;
    *) unit_name=$1.service ;;
    esac
    file=$(unit_file "$unit_name")
    if [ -z "$file" ] || is_masked "$unit_name"; then
        echo "$unit_name"
    else
        echo "${file##*/}"
    fi
}

need_unit() {
    if [ -z "$(unit_file "$1")" ]; then
        echo "Failed to $verb $1: Unit $1 not found." >&2
        exit 5
    fi
}

say() { $quiet || echo "$1"; }

is_active() {
    [ -e "$active/$1" ] || return 1
    pid=$(cat "$active/$1")
    [ -z "$pid" ] || kill -0 "$pid" 2>/dev/null
}

state() {
    if is_active "$1"; then
        echo active
    elif [ -e "$active/$1.failed" ]; then
        echo failed
    else
        echo inactive
    fi
}

enabled_links() { find /etc/systemd/system -mindepth 2 -name "$1" -type l; }

run_daemon() {
    case $1 in
    ssh.service) /usr/sbin/sshd && pid_file=/run/sshd.pid ;;
    iscsid.service) /usr/lib/lab/iscsid && pid_file=/run/iscsid.pid ;;
    *) pid_file= ;;
    esac
}

# Prints the daemon's pid, which it writes a moment after its first process has ended.
main_pid() {
    [ -n "$pid_file" ] || return 0
    tries=0
    until [ -s "$pid_file" ] || [ "$tries" -ge 100 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    cat "$pid_file"
}

start_unit() {
    need_unit "$1"
    if is_masked "$1"; then
        echo "Failed to start $1: Unit $1 is masked." >&2
        exit 1
    fi
    is_active "$1" && return
    rm -f "$active/$1.failed" "$active/$1"
    pid_file=
    if ! run_daemon "$1"; then
        : >"$active/$1.failed"
        echo "Job for $1 failed because the control process exited with error code." >&2
        code=1
        return
    fi
    main_pid >"$active/$1"
}

stop_unit() {
    need_unit "$1"
    is_active "$1" || return 0
    pid=$(cat "$active/$1")
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || :
        while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    fi
    rm -f "$active/$1"
}

enable_unit() {
    file=$(unit_file "$1")
    need_unit "$1"
    sed -n 's/^WantedBy=//p' "$file" | tr ' ' '\n' | while read -r target; do
        link=/etc/systemd/system/$target.wants/$1
        [ -L "$link" ] && continue
        mkdir -p "${link%/*}"
        ln -s "$file" "$link"
        say "Created symlink $link → $file." >&2
    done
}

disable_unit() {
    enabled_links "$1" | while read -r link; do
        rm "$link"
        say "Removed \"$link\"." >&2
    done
}

property() {
    case $1 in
    LoadState) if [ -n "$(unit_file "$2")" ]; then echo loaded; else echo not-found; fi ;;
    ActiveState) state "$2" ;;
    SubState) if is_active "$2"; then echo running; else echo dead; fi ;;
    UnitFileState) if [ -n "$(enabled_links "$2")" ]; then echo enabled; else echo disabled; fi ;;
    MainPID) if is_active "$2"; then echo "${pid:-0}"; else echo 0; fi ;;
    Id | Names) echo "$2" ;;
    *) echo ;;
    esac
}

code=0
case $verb in
daemon-reload | daemon-reexec | reset-failed | set-default) ;;
is-system-running) say running ;;
start)
    # One unit's failure does not keep the others from starting.
    for unit in "$@"; do start_unit "$(full_name "$unit")"; done
    ;;
stop)
    for unit in "$@"; do stop_unit "$(full_name "$unit")"; done
    ;;
enable)
    for unit in "$@"; do
        enable_unit "$(full_name "$unit")"
        ! $now || start_unit "$(full_name "$unit")"
    done
    ;;
preset)
    # Debian's presets enable every unit that is installed.
    for unit in "$@"; do enable_unit "$(full_name "$unit")"; done
    ;;
disable)
    for unit in "$@"; do
        disable_unit "$(full_name "$unit")"
        ! $now || stop_unit "$(full_name "$unit")"
    done
    ;;
restart | reload-or-restart | force-reload)
    for unit in "$@"; do
        stop_unit "$(full_name "$unit")"
        start_unit "$(full_name "$unit")"
    done
    ;;
try-restart | condrestart | reload | try-reload-or-restart)
    for unit in "$@"; do
        unit=$(full_name "$unit")
        ! is_active "$unit" || { stop_unit "$unit" && start_unit "$unit"; }
    done
    ;;
mask)
    for unit in "$@"; do ln -sfn /dev/null "/etc/systemd/system/$(full_name "$unit")"; done
    ;;
unmask)
    for unit in "$@"; do
        ! is_masked "$(full_name "$unit")" || rm "/etc/systemd/system/$(full_name "$unit")"
    done
    ;;
is-active)
    code=3
    for unit in "$@"; do
        say "$(state "$(full_name "$unit")")"
        ! is_active "$(full_name "$unit")" || code=0
    done
    ;;
is-failed)
    code=1
    for unit in "$@"; do
        say "$(state "$(full_name "$unit")")"
        [ ! -e "$active/$(full_name "$unit").failed" ] || code=0
    done
    ;;
is-enabled)
    code=1
    for unit in "$@"; do
        unit=$(full_name "$unit")
        if [ -z "$(unit_file "$unit")" ]; then
            $quiet || echo "Failed to get unit file state for $unit: No such file or directory" >&2
        elif is_masked "$unit"; then
            say masked
        elif [ -n "$(enabled_links "$unit")" ]; then
            say enabled && code=0
        elif grep -q '^\[Install\]' "$(unit_file "$unit")"; then
            say disabled
        else
            say static && code=0
        fi
    done
    ;;
show)
    for unit in "$@"; do
        for name in $(echo "$properties" | tr ',' ' '); do
            text=$(property "$name" "$(full_name "$unit")")
            if $value; then echo "$text"; else echo "$name=$text"; fi
        done
    done
    ;;
cat)
    for unit in "$@"; do
        unit=$(full_name "$unit")
        file=$(unit_file "$unit")
        if [ -z "$file" ]; then
            echo "No files found for $unit." >&2
            exit 1
        fi
        echo "# $file"
        cat "$file"
    done
    ;;
status)
    for unit in "$@"; do
        unit=$(full_name "$unit")
        if [ -z "$(unit_file "$unit")" ]; then
            echo "Unit $unit could not be found." >&2
            exit 4
        fi
        echo "● $unit"
        echo "     Loaded: loaded ($(unit_file "$unit"); $(property UnitFileState "$unit"))"
        echo "     Active: $(state "$unit") ($(property SubState "$unit"))"
        echo "   Main PID: $(property MainPID "$unit") (lab stand-in: 0 means noted, not run)"
        is_active "$unit" || code=3
    done
    ;;
list-unit-files | list-units)
    pattern=${1:-*}
    found=$(find /lib/systemd/system /etc/systemd/system -maxdepth 1 -name "$pattern" | sort -u)
    for file in $found; do
        unit=${file##*/}
        if [ "$verb" = list-unit-files ]; then
            echo "$unit $(property UnitFileState "$unit")"
        elif is_active "$unit"; then
            echo "$unit loaded active $(property SubState "$unit")"
        fi
    done
    [ -n "$found" ] || code=1
    ;;
*)
    echo "The lab's stand-in for systemctl does not know \"$verb\"." >&2
    exit 1
    ;;
esac
exit "$code"
