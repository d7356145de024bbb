"""What the state holds of a container, from what the Docker engine says of it. Pure."""

from collections.abc import Mapping
from typing import Any

from lab.programs.docker_stand_in.durations import duration
from lab.programs.plugin_base.values import Properties


def read_back(found: Mapping[str, Any], known: Properties) -> Properties:
    """The state after a look at the container.

    Args:
        found: what `docker inspect` shows.
        known: the state before, which also tells what is not read back: environment, labels,
            volumes and uploads are mixed with the image's own, or gone.
    """
    config, host, running = found["Config"], found["HostConfig"], found["State"]["Running"]
    network = found["NetworkSettings"]
    state: Properties = {
        **known,
        "bridge": network.get("Bridge", ""),
        "command": config["Cmd"] or [],
        "domainname": config["Domainname"],
        "entrypoints": config["Entrypoint"] or [],
        "hostname": config["Hostname"],
        "image": found["Image"] if _is_identifier(known) else config["Image"],
        "init": bool(host.get("Init")),
        "ipcMode": host["IpcMode"],
        "logDriver": host["LogConfig"]["Type"],
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "name": found["Name"].removeprefix("/"),
        "networkDatas": [
            _network(name, data) for name, data in (network.get("Networks") or {}).items()
        ],
        "networkMode": host["NetworkMode"],
        "platform": found["Platform"],
        "privileged": host["Privileged"],
        "publishAllPorts": host["PublishAllPorts"],
        "readOnly": host["ReadonlyRootfs"],
        "restart": host["RestartPolicy"]["Name"],
        "runtime": host["Runtime"],
        "securityOpts": host["SecurityOpt"],
        "shmSize": host["ShmSize"] // 1024**2,
        "stdinOpen": config["OpenStdin"],
        "stopSignal": config.get("StopSignal", ""),
        "stopTimeout": config.get("StopTimeout"),
        "tty": config["Tty"],
        "user": config["User"],
        "workingDir": config["WorkingDir"],
    }
    if (running or known.get("mustRun")) and known.get("ports"):
        state["ports"] = _ports(network.get("Ports") or {})
    if not running:
        state["exitCode"] = found["State"]["ExitCode"]
        if known.get("mustRun"):
            state["mustRun"] = False
    if config.get("Healthcheck"):
        state["healthcheck"] = _healthcheck(config["Healthcheck"])
    return state


def _is_identifier(known: Properties) -> bool:
    return str(known.get("image", "")).startswith("sha256:")


def _ports(published: Mapping[str, Any]) -> list[Any]:
    ports: list[Any] = []
    for port in sorted(published, key=lambda port: int(port.split("/")[0])):
        internal, _, protocol = port.partition("/")
        ports += [
            {
                "internal": int(internal),
                "external": int(binding["HostPort"]),
                "ip": binding["HostIp"],
                "protocol": protocol,
            }
            for binding in published[port] or []
        ]
    return ports


def _network(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "networkName": name,
        "ipAddress": data["IPAddress"],
        "ipPrefixLength": data["IPPrefixLen"],
        "gateway": data["Gateway"],
        "globalIpv6Address": data["GlobalIPv6Address"],
        "globalIpv6PrefixLength": data["GlobalIPv6PrefixLen"],
        "ipv6Gateway": data["IPv6Gateway"],
        "macAddress": data["MacAddress"],
    }


def _healthcheck(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tests": given.get("Test") or [],
        "interval": duration(given.get("Interval", 0)),
        "timeout": duration(given.get("Timeout", 0)),
        "startPeriod": duration(given.get("StartPeriod", 0)),
        "startInterval": duration(given.get("StartInterval", 0)),
        "retries": given.get("Retries", 0),
    }
