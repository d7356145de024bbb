"""What the Docker engine is asked for when a container is made. Pure."""

import base64
import io
import tarfile
import time
from collections.abc import Mapping
from typing import Any

from lab.programs.docker_stand_in.durations import nanoseconds
from lab.programs.plugin_base.kind import PluginError

_FAILED = "error with upload content: "


def request(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The body of `POST /containers/create`."""
    config = {
        "Image": inputs["image"],
        "Hostname": inputs.get("hostname", ""),
        "Domainname": inputs.get("domainname", ""),
        "Tty": inputs["tty"],
        "OpenStdin": inputs["stdinOpen"],
        "Env": inputs.get("envs"),
        "Cmd": inputs.get("command"),
        "Entrypoint": inputs.get("entrypoints"),
        "User": inputs.get("user", ""),
        "WorkingDir": inputs.get("workingDir", ""),
        "StopSignal": inputs.get("stopSignal"),
        "StopTimeout": _whole(inputs.get("stopTimeout")),
        "Labels": {each["label"]: each["value"] for each in inputs.get("labels", [])},
        "ExposedPorts": {_port(port): {} for port in inputs.get("ports", [])},
        "Volumes": {volume["containerPath"]: {} for volume in inputs.get("volumes", [])},
        "HostConfig": _host_config(inputs),
    }
    if "healthcheck" in inputs:
        config["Healthcheck"] = _healthcheck(inputs["healthcheck"])
    return {name: value for name, value in config.items() if value is not None}


def restart_policy(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What happens when the container ends."""
    return {
        "Name": inputs["restart"],
        "MaximumRetryCount": _whole(inputs.get("maxRetryCount")) or 0,
    }


def archive(upload: Mapping[str, Any]) -> bytes:
    """A tar archive with one file for the container. Raises PluginError."""
    text, encoded = upload.get("content", ""), upload.get("contentBase64", "")
    if not text and not encoded:
        raise PluginError(f"{_FAILED}one of 'content', 'content_base64', or 'source' must be set")
    if text and encoded:
        raise PluginError(
            f"{_FAILED}only one of 'content', 'content_base64', or 'source' can be set"
        )
    content = base64.b64decode(encoded) if encoded else text.encode()
    made = tarfile.TarInfo(upload["file"])
    made.size, made.mtime = len(content), int(time.time())
    made.mode = int(
        upload.get("permissions") or ("0744" if upload.get("executable") else "0644"), 8
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(made, io.BytesIO(content))
    return buffer.getvalue()


def _host_config(inputs: Mapping[str, Any]) -> dict[str, Any]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in inputs.get("ports", []):
        external = str(_whole(port.get("external", 0)))
        bindings.setdefault(_port(port), []).append({"HostIp": port["ip"], "HostPort": external})
    shared = _whole(inputs.get("shmSize"))
    config = {
        "Privileged": inputs.get("privileged", False),
        "PublishAllPorts": inputs.get("publishAllPorts", False),
        "RestartPolicy": restart_policy(inputs),
        "Runtime": inputs.get("runtime"),
        "ReadonlyRootfs": inputs["readOnly"],
        "LogConfig": {"Type": inputs.get("logDriver", "")},
        "PortBindings": bindings,
        "Binds": [_bind(volume) for volume in inputs.get("volumes", []) if _source(volume)],
        "SecurityOpt": inputs.get("securityOpts"),
        "ShmSize": None if shared is None else shared * 1024**2,
        "NetworkMode": inputs["networkMode"],
        "IpcMode": inputs.get("ipcMode"),
        "Init": inputs.get("init", False),
    }
    return {name: value for name, value in config.items() if value is not None}


def _healthcheck(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Test": given.get("tests", []),
        "Interval": nanoseconds(given["interval"]),
        "Timeout": nanoseconds(given["timeout"]),
        "StartPeriod": nanoseconds(given["startPeriod"]),
        "StartInterval": nanoseconds(given["startInterval"]),
        "Retries": _whole(given.get("retries", 0)),
    }


def _bind(volume: Mapping[str, Any]) -> str:
    mode = "ro" if volume.get("readOnly") else "rw"
    return f"{_source(volume)}:{volume['containerPath']}:{mode}"


def _source(volume: Mapping[str, Any]) -> str:
    return volume.get("hostPath") or volume.get("volumeName") or ""


def _port(port: Mapping[str, Any]) -> str:
    return f"{_whole(port['internal'])}/{port['protocol']}"


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
