# shellcheck shell=sh disable=SC2034,SC2154
# Takes --port=0 out of both manifests (ensure) and puts it back (remove); changes that one line and
# nothing else. If a component does not answer after the change, the files are put back.
#
# The files as they were are kept in RECORDS: the kubelet takes every file in its manifests folder for
# a pod, a copy there would start a second one. RECORDS/begun is there from the first change until
# both components have answered, so that the run after a killed one looks again.

RUN_DIRECTORY=/run/longhorn-rancher
LOCK_SECONDS=600
HEALTH_SECONDS=180
POLL_SECONDS=2

# COMPONENT -> the port that --port=0 closes
port_of() { if [ "$1" = kube-scheduler ]; then echo 10251; else echo 10252; fi; }

original_of() { printf '%s/%s.yaml.original' "$RECORDS" "$1"; }

staged_of() { printf '%s/.%s.yaml.longhorn-rancher' "$staging" "$1"; }

digest() { sha256sum | cut -d ' ' -f 1; }

# ---- replacing a manifest -------------------------------------------------------------------

# WITHOUT NUMBER FILE: is WITHOUT the FILE less its line NUMBER, byte for byte?
is_less_one_line() {
    whole=$({ head -n "$(($2 - 1))" "$1" && sed -n "$2p" "$3" && tail -n "+$2" "$1"; } | digest)
    [ "$whole" = "$(digest <"$3")" ] && [ "$(digest <"$1")" != "$whole" ]
}

# COMPONENT: sets staged to an empty file with the owner, the mode and the security label of the
# manifest.
stage() {
    mkdir -p "$RECORDS"
    : >"$RECORDS/begun"
    sync_path "$RECORDS"
    staged=$(staged_of "$1")
    rm -f "$staged"
    cp -a "$manifest" "$staged"
    : >"$staged"
}

# The staged file takes the manifest's place.
install_staged() {
    sync_path "$staged"
    mv -f "$staged" "$manifest" || die "$manifest cannot be replaced: is its file system read-only?"
    sync_path "$folder"
}

# COMPONENT: takes the line out if it is there.
take_out() {
    manifest=$(manifest_of "$1") original=$(original_of "$1")
    number=$(argument_lines "$manifest")
    [ -n "$number" ] || return 0
    say "$1: taking --port=0 out of $manifest"
    stage "$1"
    cp -a "$manifest" "$original.new"
    sync_path "$original.new"
    mv -f "$original.new" "$original"
    sync_path "$RECORDS"
    sed "${number}d" "$original" >"$staged"
    is_less_one_line "$staged" "$number" "$original" ||
        die "$manifest: without line $number, \"- --port=0\", it would not be the same in all else. It was not changed. Take the line out by hand, then run again"
    install_staged
}

# COMPONENT: the manifest as it was before, if nobody changed it since; else the line alone goes
# back, behind the first argument. Does nothing where the line is there.
put_back() {
    manifest=$(manifest_of "$1") original=$(original_of "$1")
    ! has_argument "$manifest" || return 0
    number=$(argument_lines "$original")
    if [ "$(sed "${number}d" "$original" | digest)" = "$(digest <"$manifest")" ]; then
        say "$1: putting $manifest back as it was"
        stage "$1"
        cat "$original" >"$staged"
    else
        line=$(sed -n "${number}p" "$original")
        after=$(grep -nxF -e "${line%%-*}- $1" "$manifest" | cut -d : -f 1)
        case $after in
            '' | *[!0-9]*) die "$manifest was changed since, and the place of \"- --port=0\" is not there any more. $PUT_BACK_BY_HAND $original" ;;
        esac
        say "$1: putting --port=0 back into $manifest, which was changed since"
        stage "$1"
        { head -n "$after" "$manifest" && printf '%s\n' "$line" && tail -n "+$((after + 1))" "$manifest"; } >"$staged"
        is_less_one_line "$manifest" "$((after + 1))" "$staged" ||
            die "$manifest was changed since, so \"- --port=0\" cannot be put back without changing more. $PUT_BACK_BY_HAND $original"
    fi
    install_staged
}

PUT_BACK_BY_HAND="Put it back by hand if it is wanted, and delete"

# ---- the kubelet and the components ---------------------------------------------------------

# The kubelet sees a changed manifest by itself; after a restart it does so at once.
restart_kubelet() {
    has_systemd && systemctl is-active --quiet kubelet || return 0
    say "restarting the kubelet"
    systemctl restart kubelet >&2 || say "warning: systemctl restart kubelet failed, see above; waiting for the kubelet to see the change by itself"
}

# PORT: does something listen there?
listens() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$(printf '%04X' "$1")" '
        $4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
        END { exit found ? 0 : 1 }'
}

is_closed() { ! listens "$1"; }

# PORT: does the component say that it is well? Sets health: ok, or listening where no program here
# can ask it.
is_healthy() {
    health=ok url=http://127.0.0.1:$1/healthz
    if command -v curl >/dev/null; then
        [ "$(curl -fsS --noproxy '*' --max-time 5 "$url" 2>/dev/null)" = ok ]
    elif command -v wget >/dev/null; then
        [ "$(env -u http_proxy wget -q -T 5 -O - "$url" 2>/dev/null)" = ok ]
    else
        health=listening
        listens "$1"
    fi
}

# TEST COMPONENT: waits until TEST is true of its port. Fails when it is not in time.
wait_until() {
    deadline=$(($(date +%s) + HEALTH_SECONDS)) waited=no
    while ! "$1" "$(port_of "$2")"; do
        [ "$(date +%s)" -lt "$deadline" ] || return 1
        [ "$waited" = yes ] || say "$2: waiting for its port $(port_of "$2"), for at most $HEALTH_SECONDS seconds"
        waited=yes
        sleep "$POLL_SECONDS"
    done
}

# COMPONENT: it does not answer. What this program has begun is undone; what it found is left.
give_up() {
    [ -e "$RECORDS/begun" ] || die "$1 does not answer on 127.0.0.1:$(port_of "$1"), though its manifest has no --port=0. Nothing was changed. Look at its pod's log in kube-system"
    for each in $COMPONENTS; do
        [ ! -e "$(original_of "$each")" ] || put_back "$each"
    done
    restart_kubelet
    drop_records
    die "$1 did not answer on 127.0.0.1:$(port_of "$1") within $HEALTH_SECONDS seconds after --port=0 was taken out. The manifests are as they were. Look at systemctl status kubelet and at its pod's log in kube-system, then run again"
}

drop_records() {
    for each in $COMPONENTS; do
        rm -f "$(original_of "$each")" "$(original_of "$each").new" "$(staged_of "$each")"
    done
    rm -f "$RECORDS/begun"
    rmdir "$RECORDS" 2>/dev/null || :
}

# ---- actions --------------------------------------------------------------------------------

lock() {
    mkdir -p "$RUN_DIRECTORY"
    exec 9>"$RUN_DIRECTORY/control-plane.lock"
    flock -x -w "$LOCK_SECONDS" 9 || die "another run changes the control plane's manifests since $LOCK_SECONDS seconds ($RUN_DIRECTORY/control-plane.lock). End it, then run again"
}

ensure() {
    umask 077
    lock
    for component in $COMPONENTS; do
        check_component "$component"
    done
    for component in $COMPONENTS; do
        take_out "$component"
        rm -f "$(staged_of "$component")"
    done
    say "warning: the scheduler and the controller manager answer on ports 10251 and 10252 without a login, on every address of this node unless their manifests say --address. Let a firewall keep others out, and switch the stage controlPlaneHealth off with the upgrade to Kubernetes 1.22"
    [ ! -e "$RECORDS/begun" ] || restart_kubelet
    answer=
    for component in $COMPONENTS; do
        wait_until is_healthy "$component" || give_up "$component"
        answer="$answer${answer:+,}\"$component\":\"$health\""
    done
    rm -f "$RECORDS/begun"
    printf '{"kubernetes":"%s","health":{%s}}\n' "$version" "$answer"
}

remove() {
    umask 077
    lock
    for component in $COMPONENTS; do
        manifest=$(manifest_of "$component") original=$(original_of "$component")
        [ -e "$original" ] || continue
        if [ ! -e "$manifest" ]; then
            say "$component: $manifest is gone, so nothing is put back"
            continue
        fi
        version=$(version_of "$component")
        if [ -n "$version" ] && means_nothing "$version"; then
            # Later versions do not know the argument at all, and would not start with it.
            say "$component is version $version by now; --port=0 is not put back"
            continue
        fi
        [ -n "$(argument_lines "$original")" ] || die "$original is damaged: it has no line \"- --port=0\". $PUT_BACK_BY_HAND the file"
        put_back "$component"
    done
    if [ -e "$RECORDS/begun" ]; then
        restart_kubelet
        for component in $COMPONENTS; do
            manifest=$(manifest_of "$component")
            [ ! -e "$manifest" ] || ! has_argument "$manifest" || wait_until is_closed "$component" ||
                say "warning: $component still listens on port $(port_of "$component") after $HEALTH_SECONDS seconds. Look at: systemctl status kubelet"
        done
    fi
    drop_records
    printf '{"removed":true}\n'
}
