"""Rules between the keys of the Rancher server and of the import into it. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from configuration.environment import AGENT, SERVER, environment_problems
from configuration.host_aliases import host_alias_problems
from configuration.problems import Problem
from configuration.secrets import Secret
from configuration.stack_file import StackFile

_SYSTEM_FOLDERS = {
    *("/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/opt", "/proc", "/root", "/run", "/sbin"),
    *("/srv", "/sys", "/tmp", "/usr", "/var", "/var/lib", "/var/lib/docker", "/var/log"),  # noqa: S108
}
_OWN_PATHS = ("/var/lib/rancher", "/etc/rancher/ssl")
_PASSWORD_CHARACTERS = 12
# Of bcrypt. Rancher does not look at its error for the first password, and then nobody gets in.
# Source: Rancher 2.8.5, pkg/data/management/role_data.go.
_PASSWORD_BYTES = 72
PASSWORDS = (Secret.RANCHER_BOOTSTRAP_PASSWORD, Secret.RANCHER_ADMIN_PASSWORD)


def _ports(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is not None and rancher.http_port == rancher.https_port:
        yield Problem(
            "rancher.httpPort", "is the same as httpsPort", "Change one of them.", rancher.http_port
        )


def _taken_name(file: StackFile) -> Iterator[Problem]:
    if file.stages.rancher_import and file.cluster.name == "local":
        yield Problem(
            "cluster.name",
            "is what every Rancher calls the cluster that it runs in itself",
            "Choose another name.",
            file.cluster.name,
        )


def _tag_without_v(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is None or not f"/{rancher.image}".endswith("/rancher/rancher"):
        return
    if re.fullmatch(r"v?[0-9]+(\.[0-9]+)?", rancher.tag):
        yield Problem(
            "rancher.tag",
            "is no tag of Rancher's image, which has one for each whole version",
            "Write all three numbers, such as v2.8.5.",
            rancher.tag,
        )
    if re.match(r"[0-9]+\.[0-9]+\.[0-9]", rancher.tag):
        yield Problem(
            "rancher.tag",
            "is no tag of Rancher's image, whose tags begin with v",
            f"Did you mean v{rancher.tag}?",
            rancher.tag,
        )


def _data_on_the_system(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is not None and (rancher.data_volume or "").rstrip("/") in _SYSTEM_FOLDERS:
        yield Problem(
            "rancher.dataVolume",
            "is a folder of the Docker host's own system",
            "Name a folder for Rancher alone, such as /srv/rancher, or a Docker volume.",
            rancher.data_volume,
        )


def _certificates(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is None:
        return
    if rancher.tls_termination == "external":
        if rancher.certificate_file is not None:
            yield Problem(
                "rancher.certificateFile",
                "is of no use with tlsTermination: external, where the proxy has the certificate",
                "Give it to the proxy and remove it here, with the secret rancherCertificateKey; "
                "caFile stays if its CA is your own.",
            )
    elif rancher.ca_file is not None and rancher.certificate_file is None:
        yield Problem(
            "rancher.caFile",
            "caFile goes with certificateFile, or with tlsTermination: external",
            "Add one of them, or remove caFile to let Rancher make a CA of its own.",
        )


def _data_volume(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is not None and rancher.remove_data_on_destroy and rancher.volume.startswith("/"):
        yield Problem(
            "rancher.removeDataOnDestroy",
            "removeDataOnDestroy goes with a Docker volume; a folder of the host is never deleted",
            "Remove it, or name a Docker volume in dataVolume.",
        )


def _backup(file: StackFile) -> Iterator[Problem]:
    rancher = file.rancher
    if rancher is None or rancher.backup is None or not rancher.volume.startswith("/"):
        return
    folder, data = PurePosixPath(rancher.backup.folder), PurePosixPath(rancher.volume)
    if data in (folder, *folder.parents):
        yield Problem(
            "rancher.backup.folder",
            "lies in rancher.dataVolume, so every archive would hold all earlier ones",
            "Name a folder outside of it, best on another disk.",
            rancher.backup.folder,
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


def _environment(file: StackFile) -> Iterator[Problem]:
    if file.rancher is not None:
        yield from environment_problems(file.rancher.environment, "rancher.environment", SERVER)


def _agent(file: StackFile) -> Iterator[Problem]:
    given = file.rancher_import
    key = "rancherImport.agentEnvironment"
    yield from environment_problems(given.agent_environment, key, AGENT)
    yield from host_alias_problems(given.host_aliases, "rancherImport.hostAliases")


def _rancher_that_is_there(file: StackFile) -> Iterator[Problem]:
    url, has_token = file.rancher_import.url, file.has(Secret.RANCHER_TOKEN)
    if url is None and has_token:
        yield Problem(
            Secret.RANCHER_TOKEN,
            "goes with a Rancher that is there already, and none is named",
            "Set rancherImport.url, or remove the secret.",
        )
    if url is None:
        return
    if not has_token:
        yield Problem(
            "rancherImport.url",
            "needs the secret rancherToken, with which the cluster is registered there",
            "Make an API key in Rancher (Account & API Keys, No Scope) and set it: pulumi config "
            "set --secret rancherToken.",
        )
    if file.stages.rancher_import and file.stages.rancher:
        yield Problem(
            "rancherImport.url",
            "names a Rancher beside the one that this stack runs",
            "Set stages.rancher: false, or remove the key.",
            url,
        )
    if file.has_given_manifest:
        yield Problem(
            "rancherImport.url",
            "stands beside an import manifest, which names a Rancher by itself",
            "Remove the key with the secret rancherToken, or the manifest.",
            url,
        )


def _extra_mounts(file: StackFile) -> Iterator[Problem]:
    seen = set[str]()
    for number, mount in enumerate(() if file.rancher is None else file.rancher.extra_mounts):
        key, path = f"rancher.extraMounts[{number}].containerPath", mount.container_path
        if any(path == own or path.startswith(f"{own}/") for own in _OWN_PATHS):
            yield Problem(
                key,
                "is where this program puts Rancher's data and certificate",
                "Use dataVolume or certificateFile, or another path.",
                path,
            )
        elif path in seen:
            yield Problem(key, "is mounted twice", "Give each mount its own path.", path)
        seen.add(path)


def password_problem(secret: Secret, text: str) -> str:
    """What keeps Rancher from taking this password; empty if nothing does. Never shows it.

    Rancher counts the characters of those that are set in it, not those of its first one.
    """
    if secret is Secret.RANCHER_ADMIN_PASSWORD and len(text) < _PASSWORD_CHARACTERS:
        return f"is shorter than the {_PASSWORD_CHARACTERS} characters that Rancher wants"
    if len(text.encode()) > _PASSWORD_BYTES:
        return f"is longer than the {_PASSWORD_BYTES} bytes (UTF-8) that Rancher can compare"
    return ""


def password_problems(secret: Secret, text: str, key: str) -> Iterator[Problem]:
    """The same for a stack file.

    Args:
        secret: One of PASSWORDS.
        text: The secret.
        key: Its full key in the stack file.
    """
    problem = password_problem(secret, text)
    if problem:
        yield Problem(key, problem, f"Set another one: pulumi config set --secret {secret}.")


RANCHER_RULES: Sequence[Callable[[StackFile], Iterable[Problem]]] = (
    _ports,
    _taken_name,
    _tag_without_v,
    _certificates,
    _data_on_the_system,
    _data_volume,
    _backup,
    _docker_host_key,
    _environment,
    _agent,
    _rancher_that_is_there,
    _extra_mounts,
)
