# shellcheck shell=sh
# FILE -> the digest by which a script is known; empty for a file that is not there
digest() { { sha256sum <"$1"; } 2>/dev/null | cut -c 1-16; }
