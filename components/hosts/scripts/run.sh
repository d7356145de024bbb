# shellcheck shell=sh
# Runs as root what comes on standard input, whoever logs in, and whether sudo asks or not. The first
# line there is the password, or empty. It reaches sudo only if sudo would ask; otherwise the shell
# would take it for the first line of the script.
#
#   sh run SCRIPT ACTION [WORD]...
#
# Of the words the action alone counts; the others tell a person who reads the line what it is about.
LC_ALL=C
export LC_ALL
IFS= read -r password
if [ "$(id -u)" = 0 ]; then exec sh -s -- "$2"; fi
if [ -z "$password" ] || sudo -n true 2>/dev/null; then exec sudo -n sh -s -- "$2"; fi
# Alone at first: sudo takes each line for another try, and three wrong ones lock many an account.
{ printf %s "$password"; echo; } | sudo -S -p "" sh -c : || exit
# Not by exec: without a terminal sudo remembers whom it has asked by the process that started it.
if sudo -n sh -c : 2>/dev/null; then
    sudo -n sh -s -- "$2"
    exit
fi
{ printf %s "$password"; echo; cat; } | sudo -S -p "" sh -s -- "$2"
