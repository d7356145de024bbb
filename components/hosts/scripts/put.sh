# shellcheck shell=sh disable=SC2154
# Puts scripts into a folder that only root can write to. Comes behind digest.sh; behind it come the
# folder and the files, one call each. What is there already is not written again.

# FOLDER: where the files go
into() {
    folder=$1
    [ "$(id -u)" = 0 ] || refuse "putting scripts into $folder needs root" "Log in as root, or as a user with sudo"
    for tool in sha256sum cut grep stat; do
        command -v "$tool" >/dev/null || refuse "the command $tool is missing" "Install coreutils and grep"
    done
    mkdir -p "$folder" || die "$folder can't be made, so nothing was done on this host. Look at: findmnt -T $folder; df $folder"
    chown 0:0 "$folder"
    chmod 755 "$folder"
}

# FILE DIGEST: writes standard input to the file. A name that ends in another digest is that of an
# earlier text, for which this one stands in.
file() {
    case $1 in
        *-"$2" | run | checked) ;;
        *-????????????????) ! intact "$1" || return 0 ;;
    esac
    [ "$(digest "$folder/$1")" != "$2" ] || return 0
    fresh=$folder/.$1.new
    if ! cat >"$fresh" || [ "$(digest "$fresh")" != "$2" ]; then
        rm -f "$fresh"
        die "$folder/$1 can't be written, so nothing was done on this host. Look at: df $folder; findmnt -T $folder"
    fi
    mv -f "$fresh" "$folder/$1"
    case $1 in
        *-"$2" | run | checked) ;;
        *) echo "$1 $2" >>"$folder/restored" ;;
    esac
}

# FILE: does it hold the text that its name says?
intact() { [ "$(digest "$folder/$1")" = "${1##*-}" ]; }
