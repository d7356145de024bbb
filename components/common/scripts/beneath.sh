# shellcheck shell=sh
# PATH COMMAND...: runs COMMAND... PATH on the directory itself, even while something is mounted over
# it. Changes no mount of this host: the bind mount that shows what is beneath is made in a private
# name space, and dies with it.
beneath() {
    covered=$1
    shift
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare -m sh -c '
        mount --make-rprivate / && mount --bind "$1" /run || exit
        directory=/run/$2
        shift 2
        "$@" "$directory"' sh "$(dirname "$covered")" "$(basename "$covered")" "$@"
}
