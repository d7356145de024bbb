"""What the program may say of a container, and what is read back of it."""

from lab.programs.docker_stand_in.attributes import Attribute

_TEXT = Attribute()
_FLAG = Attribute("boolean")
_OFF = Attribute("boolean", default=False)
_ENGINES = Attribute(computed=True)
_ENGINES_LIST = Attribute("array", computed=True)
_DURATION = Attribute(default="0s", replaces=False)

INPUTS = {
    "name": Attribute(required=True),
    "image": Attribute(required=True),
    "attach": Attribute("boolean", default=False, replaces=False, fixed=True),
    "command": Attribute("array", computed=True, ordered=True),
    "containerReadRefreshTimeoutMilliseconds": Attribute(
        "integer", default=15000.0, replaces=False
    ),
    "destroyGraceSeconds": Attribute("integer", replaces=False),
    "domainname": _TEXT,
    "entrypoints": Attribute("array", computed=True, ordered=True),
    "envs": _ENGINES_LIST,
    "healthcheck": Attribute(
        "object",
        computed=True,
        replaces=False,
        members={
            "tests": Attribute("array", replaces=False, ordered=True),
            "interval": _DURATION,
            "timeout": _DURATION,
            "startPeriod": _DURATION,
            "startInterval": _DURATION,
            "retries": Attribute("integer", default=0.0, replaces=False),
        },
    ),
    "hostname": _ENGINES,
    "init": Attribute("boolean", computed=True, replaces=False),
    "ipcMode": _ENGINES,
    "labels": Attribute("array", computed=True, members={"label": _TEXT, "value": _TEXT}),
    "logDriver": _ENGINES,
    "logs": Attribute("boolean", default=False, replaces=False, fixed=True),
    "maxRetryCount": Attribute("integer", replaces=False),
    "memoryReservation": Attribute("integer", default=0.0, replaces=False, fixed=True),
    "mustRun": Attribute("boolean", default=True, replaces=False),
    "networkMode": Attribute(default="bridge"),
    "ports": Attribute(
        "array",
        members={
            "internal": Attribute("integer", required=True),
            "external": Attribute("integer", computed=True),
            "ip": Attribute(default="0.0.0.0"),  # noqa: S104 - the real plugin's default
            "protocol": Attribute(default="tcp"),
        },
    ),
    "privileged": _FLAG,
    "publishAllPorts": _FLAG,
    "readOnly": _OFF,
    "removeVolumes": Attribute("boolean", default=True, replaces=False),
    "restart": Attribute(default="no", replaces=False),
    "rm": Attribute("boolean", default=False, replaces=False, fixed=True),
    "runtime": _ENGINES,
    "securityOpts": _ENGINES_LIST,
    "shmSize": Attribute("integer", computed=True),
    "start": Attribute("boolean", default=True, replaces=False),
    "stdinOpen": _OFF,
    "stopSignal": _ENGINES,
    "stopTimeout": Attribute("integer", computed=True),
    "tty": _OFF,
    "uploads": Attribute(
        "array",
        members={
            "content": _TEXT,
            "contentBase64": _TEXT,
            "executable": _OFF,
            "file": Attribute(required=True),
            "permissions": _TEXT,
        },
    ),
    "user": Attribute(empty_is_same=True),
    "volumes": Attribute(
        "array",
        members={
            "containerPath": _TEXT,
            "hostPath": _TEXT,
            "readOnly": _FLAG,
            "volumeName": _TEXT,
        },
    ),
    "wait": Attribute("boolean", default=False, replaces=False),
    "waitTimeout": Attribute("integer", default=60.0, replaces=False),
    "workingDir": Attribute(empty_is_same=True),
}

OUTPUTS = {
    "bridge": Attribute(computed=True, replaces=False),
    "containerLogs": Attribute(computed=True, replaces=False),
    "exitCode": Attribute("integer", computed=True, replaces=False),
    "networkDatas": Attribute("array", computed=True, replaces=False),
    "platform": Attribute(computed=True, replaces=False),
}
"""What is read back besides."""
