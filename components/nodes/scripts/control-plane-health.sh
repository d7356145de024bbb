# shellcheck shell=sh disable=SC2034,SC2154
# Lets Rancher see the health of the scheduler and the controller manager on a control-plane node made
# by kubeadm, Kubernetes 1.21 or older: takes the argument --port=0 out of their manifests (ensure),
# puts it back (remove), or tells what ensure would find (check). From 1.22 on Rancher no longer asks.
# It comes last, behind control-plane-look.sh, and for ensure and remove behind control-plane-write.sh.
#
#   sh -s -- ensure | remove | check
main() {
    case ${1-} in
        ensure | remove | check) ;;
        *) die "usage: control-plane-health.sh ensure | remove | check" ;;
    esac
    [ "$1" != check ] || refusals=json
    [ "$(id -u)" = 0 ] || refuse "changing $MANIFESTS needs root" "Log in as root, or as a user with sudo"
    "$1"
}

main "$@" </dev/null
