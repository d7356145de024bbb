#!/bin/sh
# Tells what a Docker engine says of itself and of its containers, through the docker command of
# this host. Changes nothing.
#
#   sh -s
#
# Lines of JSON on stdout: the version, the engine's own facts, then one line per container. Of a
# container's environment only the line with Rancher's version leaves this host.

set -eu
PATH="$PATH:/usr/local/bin:/usr/bin:/bin"
export PATH

client=docker
# Podman's docker command says so itself.
case $(docker --version 2>/dev/null) in *[Pp]odman*) client=podman ;; esac
docker version --format '{"Client":"'"$client"'","Version":{{json .Server.Version}}}'
docker info --format '{"MemTotal":{{json .MemTotal}},"DockerRootDir":{{json .DockerRootDir}},"OSType":{{json .OSType}}}'
docker ps --all --quiet --no-trunc | while read -r container; do
    # Gone since it was listed: no fact any more.
    docker inspect --type container --format '{{json .Name}} {{json .Config.Image}} {{json .State.Running}} {{json .HostConfig.PortBindings}}' "$container" 2>/dev/null |
        while read -r name image running ports; do
            version=$(docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$container" |
                sed -n 's/^CATTLE_SERVER_VERSION=\([A-Za-z0-9._+-]*\)$/\1/p' | head -n 1)
            printf '{"Name":%s,"Image":%s,"Running":%s,"Ports":%s,"RancherVersion":"%s"}\n' \
                "$name" "$image" "$running" "$ports" "$version"
        done
done
