"""Rules between the keys of the Rancher server. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from configuration.problems import Problem
from configuration.stack_file import StackFile


def _ports(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is not None and rancher.http_port == rancher.https_port:
        yield Problem(
            "rancher.httpPort", "httpPort and httpsPort must differ", "Change one of them."
        )


def _ca_file(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is not None and rancher.ca_file is not None and rancher.certificate_file is None:
        yield Problem(
            "rancher.caFile",
            "caFile goes with certificateFile",
            "Add certificateFile, or remove caFile to let Rancher make a CA of its own.",
        )


def _data_volume(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is not None and rancher.remove_data_on_destroy and rancher.volume.startswith("/"):
        yield Problem(
            "rancher.removeDataOnDestroy",
            "removeDataOnDestroy goes with a Docker volume; a folder of the host is never deleted",
            "Remove it, or name a Docker volume in dataVolume.",
        )


def _docker_host_key(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is None or rancher.docker_host_key is not None:
        return
    if rancher.docker_host.startswith("ssh://"):
        yield Problem(
            "rancher.dockerHostKey",
            "an ssh:// Docker host needs dockerHostKey",
            "Read it on that host: cat /etc/ssh/ssh_host_ed25519_key.pub.",
        )


RANCHER_RULES: Sequence[Callable[[StackFile], Iterable[Problem]]] = (
    _ports,
    _ca_file,
    _data_volume,
    _docker_host_key,
)
