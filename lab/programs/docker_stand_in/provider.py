"""The kinds of resource that the stand-in knows, on the Docker engine that its settings name."""

from lab.programs.docker_stand_in import STAND_IN
from lab.programs.docker_stand_in.container import Container
from lab.programs.docker_stand_in.engine import Engine
from lab.programs.docker_stand_in.remote_image import RemoteImage
from lab.programs.docker_stand_in.volume import Volume
from lab.programs.plugin_base.engine_log import EngineLog
from lab.programs.plugin_base.provider import Provider
from lab.programs.plugin_base.values import Properties

_NOTICE = (
    "this is the lab's stand-in for the docker plugin: it knows RemoteImage, Volume and "
    "Container alone. Install Pulumi's docker plugin for anything but a trial."
)


class DockerProvider(Provider):
    """Serves one engine of Pulumi's."""

    accepts_secrets = False

    def __init__(self, log: EngineLog) -> None:
        self._engine = Engine()
        kinds = [kind(self._engine) for kind in (RemoteImage, Volume, Container)]
        super().__init__(STAND_IN, _NOTICE, kinds, log)

    async def configure(self, settings: Properties) -> None:
        self._engine.configure(settings)
        await self._engine.greet()
