# shellcheck shell=sh
# Which scripts are not in a folder of this host as the program puts them there. Changes nothing.
# Comes behind digest.sh.
#
#   sh -s -- FOLDER FILE:DIGEST...

# COMMAND FILE... -> the files as a list of JSON for which the command says yes
those() {
    comma=
    printf '['
    for pair in $pairs; do
        if "$1" "$folder/${pair%:*}" "${pair##*:}"; then
            printf '%s%s' "$comma" "$(json_string "${pair%:*}")"
            comma=,
        fi
    done
    printf ']'
}

is_missing() { [ ! -e "$1" ]; }

is_changed() { [ -e "$1" ] && [ "$(digest "$1")" != "$2" ]; }

is_open() {
    case $(stat -c '%u %A' "$folder" 2>/dev/null) in
        '' | '0 drwxr-xr-x'*) return 1 ;;
        *) return 0 ;;
    esac
}

main() {
    folder=$1
    shift
    pairs=$*
    printf '{"missing":%s,"changed":%s,"open":%s}\n' "$(those is_missing)" "$(those is_changed)" "$(json_boolean is_open)"
}

main "$@" </dev/null
