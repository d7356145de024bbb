# shellcheck shell=sh disable=SC2034,SC2154
# Keeps K3s from making local-path the default StorageClass again at each of its starts (ensure), lets
# it do so again (remove), or tells whether it would (check). A host that is no server of K3s, or whose
# K3s does not have that class, needs nothing. It comes last, behind k3s-default-class-look.sh, and for
# ensure and remove behind k3s-default-class-write.sh.
#
#   sh -s -- ensure|remove|check [OWNER]
#
# OWNER  the stack that has the file
main() {
    owner=${2-}
    case ${1-} in
        ensure | remove | check) "$1" ;;
        *) die "usage: k3s-default-class.sh ensure|remove|check [OWNER]" ;;
    esac
}

main "$@" </dev/null
