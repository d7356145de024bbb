"""Entry point for Pulumi's engine."""

from lab.programs.command_stand_in import STAND_IN
from lab.programs.command_stand_in.execution import Executor
from lab.programs.command_stand_in.remote_command import RemoteCommand
from lab.programs.plugin_base.engine_log import EngineLog
from lab.programs.plugin_base.provider import Provider
from lab.programs.plugin_base.serving import serve

_NOTICE = (
    "this is the lab's stand-in for the command plugin: it knows remote.Command alone. "
    "Install Pulumi's command plugin for anything but a trial."
)


def _provider(log: EngineLog) -> Provider:
    return Provider(STAND_IN, _NOTICE, [RemoteCommand(Executor(log))], log)


if __name__ == "__main__":
    serve(_provider)
