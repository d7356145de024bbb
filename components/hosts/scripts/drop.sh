# shellcheck shell=sh
# Takes the scripts of one stack off this host, and the folders above that are empty then.
#
#   sh -s -- FOLDER
main() {
    folder=$1
    [ -d "$folder" ] || { echo '{"dropped":false}'; return 0; }
    rm -f "$folder/run" "$folder/checked" "$folder/restored" "$folder"/.*.new "$folder"/*-????????????????
    # shellcheck disable=SC2015 # the first that stays keeps those above
    rmdir "$folder" && rmdir "${folder%/*}" && rmdir "${folder%/*/*}" && rmdir "${folder%/*/*/*}" || :
    echo '{"dropped":true}'
} 2>/dev/null

main "$@" </dev/null
