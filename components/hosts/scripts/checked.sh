# shellcheck shell=sh disable=SC2154
# Runs a script of this folder, if it is what the program put there. Comes behind digest.sh.
#
#   sh checked NAME DIGEST ACTION [WORD]...
#
# The file `restored` has the scripts that a later version of the program put back for a removal,
# under the name that the state knows.
here=$(dirname "$0") name=$1 wanted=$2
shift 2
script=$here/$name-$wanted
found=$(digest "$script")
if [ "$found" != "$wanted" ] && ! grep -qsx "$name-$wanted $found" "$here/restored"; then
    case $found in '') how="is not there" ;; *) how="was changed" ;; esac
    echo "$(uname -n): $script $how, so nothing was done. pulumi up puts it back where hosts are read (checks.readHosts)" >&2
    exit 1
fi
exec sh "$script" "$@"
