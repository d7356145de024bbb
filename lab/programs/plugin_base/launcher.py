"""The executable by which Pulumi's engine finds a stand-in, and the search for the real plugin."""

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.common.paths import PROJECT

_MARK = "# Starts the lab's stand-in for Pulumi's {name} plugin."


@dataclass(frozen=True)
class StandIn:
    """One stand-in.

    Attributes:
        name: the plugin's, as in pulumi-resource-NAME.
        version: the version of the plugin whose behaviour it follows, and that of the SDK in use.
        module: what Python runs.
    """

    name: str
    version: str
    module: str

    @property
    def executable(self) -> str:
        """The file name under which Pulumi's engine looks for the plugin."""
        return f"pulumi-resource-{self.name}"

    def install(self, directory: Path, python: str = sys.executable) -> Path:
        """Write an executable that starts the stand-in, and return its path.

        Args:
            directory: made if it is missing. It has to come first on the PATH of `pulumi`, because
                Pulumi's engine takes the first executable of that name.
            python: what runs it, as `python -m` does.
        """
        directory.mkdir(parents=True, exist_ok=True)
        launcher = directory / self.executable
        project = shlex.quote(str(PROJECT))
        launcher.write_text(
            "#!/bin/sh\n"
            f"{self._mark}\n"
            f'PYTHONPATH={project}${{PYTHONPATH:+":$PYTHONPATH"}}\n'
            "export PYTHONPATH\n"
            f'exec {shlex.quote(python)} -m {self.module} "$@"\n'
        )
        launcher.chmod(0o755)
        return launcher

    def find_real(
        self, search_path: str | None = None, pulumi_home: Path | None = None
    ) -> Path | None:
        """Where the real plugin is, or None where the stand-in is needed.

        Args:
            search_path: directories as in PATH, which is the default.
            pulumi_home: whose plugins/ counts, too; default $PULUMI_HOME, else ~/.pulumi.
        """
        if search_path is None:
            search_path = os.environ.get("PATH", os.defpath)
        for directory in search_path.split(os.pathsep):
            found = shutil.which(self.executable, path=directory) if directory else None
            if found is not None and not self._is_stand_in(Path(found)):
                return Path(found)
        home = pulumi_home or Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
        folder = f"resource-{self.name}-v{self.version}"
        installed = home / "plugins" / folder / self.executable
        return installed if installed.is_file() else None

    @property
    def _mark(self) -> str:
        return _MARK.format(name=self.name)

    def _is_stand_in(self, executable: Path) -> bool:
        with executable.open("rb") as file:
            return self._mark.encode() in file.read(256)
