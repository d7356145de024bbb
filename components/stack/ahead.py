"""Importing what is declared last while the hosts and the cluster are read."""

import importlib
import threading
from collections.abc import Sequence

from configuration.settings import Settings


def import_ahead(settings: Settings) -> None:
    """Begin with the imports of the stages; whoever needs one before that waits for it.

    Longhorn, Rancher and the SDKs of their providers are half of what there is to import, and this
    program's process has next to nothing to do until the hosts have answered. An import that fails
    here fails again, and is told, where it is needed.
    """
    checks = settings.checks
    names = modules_ahead(settings) if checks.read_hosts or checks.read_cluster else ()
    if names:
        threading.Thread(target=_import, args=[names], daemon=True).start()


def modules_ahead(settings: Settings) -> Sequence[str]:
    """The modules that __main__.py and its providers import for this stack's stages."""
    has_rancher = settings.stages.rancher and settings.rancher is not None
    cluster = ["components.cluster.provider"] if settings.uses_cluster else []
    docker = ["components.docker.provider"] if has_rancher else []
    stages = ["components.stack.longhorn", "components.stack.rancher"]
    return [*cluster, *docker, *stages] if cluster or docker else []


def _import(names: Sequence[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            return
