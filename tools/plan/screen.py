"""A plan on one screen: what a person wants to know before `up`, in words. Pure."""

from collections.abc import Iterator, Sequence, Set

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from components.preflight.cluster_wanted import cluster_wanted
from configuration.rancher import RancherSettings
from configuration.secrets import Secret
from configuration.settings import NAMESPACE, Settings
from tools.offline.recording import Recording
from tools.plan.longhorn import longhorn_lines, policy_lines
from tools.plan.nodes import node_groups, ranges

_UNGUARDED = "without a password"
_VOLUME = "docker:index/volume:Volume"


def plan_screen(recording: Recording, stack: str, lacks_password: bool = False) -> RenderableType:
    """The answer to "what would `up` do?", equal nodes told once.

    Args:
        recording: What the program declared, and the settings that it read.
        stack: The stack's name.
        lacks_password: Whether the stack still has to be given the SSH password that it was
            planned with.
    """
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(overflow="fold")
    unset = {Secret.SSH_PASSWORD} if lacks_password else set[Secret]()
    for title, lines in _rows(recording, recording.settings, unset):
        table.add_row(title, "\n".join(lines))
    made = sum(resource.custom for resource in recording.resources)
    head = Text.assemble(
        "Stack ",
        (stack, "bold"),
        f" would create {made} resources. Nothing was reached or changed.",
    )
    tail = Text("Every resource with its inputs: ALL=1 or --all. For programs: JSON=1.", "dim")
    return Group(head, "", table, "", tail)


def _rows(
    recording: Recording, settings: Settings, unset: Set[Secret]
) -> Iterator[tuple[str, Sequence[str]]]:
    stages = settings.stages
    if stages.packages or stages.disks or stages.labels or stages.control_plane_health:
        for group in node_groups(settings):
            yield group.title, group.lines
    if stages.longhorn:
        (release,) = recording.of_type("kubernetes:helm.sh/v3:Release")
        yield f"Longhorn {settings.longhorn.version}", longhorn_lines(settings, release.inputs)
        yield from policy_lines(settings)
    if stages.frontend:
        yield "Its interface", list(_interface(settings, recording))
    if stages.volume_check:
        check = settings.volume_check
        yield (
            "Volume check",
            [
                f"writes to a claim of {check.size} ({check.access_mode}, class "
                f"{check.storage_class}), reads it back from a second pod, and removes it",
                *["backs it up, restores it, compares, removes it again"] * check.restore,
            ],
        )
    yield from _rancher(settings)
    yield "Kept on destroy", list(_kept(settings, recording))
    yield "Asked of you", list(_asked(settings, unset))


def _interface(settings: Settings, recording: Recording) -> Iterator[str]:
    frontend = settings.frontend
    url = recording.outputs["longhornUrl"]
    match frontend.type:
        case "ClusterIP":
            yield "inside the cluster only: through Rancher, or"
            yield "kubectl -n longhorn-system port-forward service/longhorn-frontend 8080:80"
        case "NodePort":
            yield f"{url}: for whoever reaches a node, {_UNGUARDED}"
        case "LoadBalancer":
            who = ", ".join(frontend.source_ranges) or "whoever reaches it"
            yield f"at the load balancer's address: for {who}, {_UNGUARDED}"
            yield f"at its NodePort: for whoever reaches a node, {_UNGUARDED}"
        case "Ingress":
            has_password = settings.has(Secret.FRONTEND_BASIC_AUTH)
            guard = "with the password in frontendBasicAuth" if has_password else _UNGUARDED
            issuer = f", made by {frontend.cluster_issuer}" if frontend.cluster_issuer else ""
            yield f"{url}: for whoever reaches the Ingress, {guard}"
            yield (
                f"ingress class {frontend.ingress_class or '(the default one)'}, "
                f"certificate in {frontend.tls_secret}{issuer}"
            )


def _rancher(settings: Settings) -> Iterator[tuple[str, Sequence[str]]]:
    rancher = settings.rancher
    if settings.stages.rancher and rancher is not None:
        backup = rancher.backup
        days = "" if backup is None or backup.every_days == 1 else f"{backup.every_days} days"
        yield (
            f"Rancher {rancher.tag}",
            [
                f"{rancher.url}, {rancher.image} on {rancher.docker_host}, "
                f"ports {rancher.http_port} and {rancher.https_port}",
                f"certificate {_certificate(rancher)}, data in {rancher.volume}",
                *(
                    [
                        f"stopped every {days or 'day'} at {backup.at} UTC for a backup to "
                        f"{backup.folder}, {backup.keep} kept"
                    ]
                    if backup is not None
                    else []
                ),
            ],
        )
    if settings.stages.rancher_import:
        given = "with the manifest that you give" if settings.has_given_manifest else "by its API"
        there = settings.rancher_import.url
        where = "Rancher" if there is None else f"the Rancher at {there}"
        yield "Import", [f"cluster {settings.cluster.name} into {where}, {given}"]


def _certificate(rancher: RancherSettings) -> str:
    if rancher.tls_termination == "external":
        return "of the proxy in front"
    return f"from {rancher.certificate_file or 'a CA of its own'}"


def _kept(settings: Settings, recording: Recording) -> Iterator[str]:
    disks = sum(len(settings.disks_of(node)) for node in settings.present_nodes)
    if settings.stages.disks and disks:
        yield f"{disks} file systems with their data (unmounted only)"
    if settings.stages.packages:
        yield "packages on the nodes"
    for volume in recording.of_type(_VOLUME):
        if volume.request.retainOnDelete:
            name = volume.inputs.get("name", volume.name)
            yield f"Docker volume {name} with Rancher's data"
    rancher = settings.rancher
    if settings.stages.rancher and rancher is not None:
        if rancher.volume.startswith("/"):
            yield f"folder {rancher.volume} on the Docker host with Rancher's data"
        elif rancher.remove_data_on_destroy:
            yield "not Rancher's data: rancher.removeDataOnDestroy is true"
        if rancher.backup is not None:
            yield f"the backups in {rancher.backup.folder} on the Docker host"
    if settings.stages.longhorn:
        allowed = settings.longhorn.allow_uninstall
        yield (
            "not Longhorn's volumes: longhorn.allowUninstall is true"
            if allowed
            else "everything, while Longhorn holds volumes: destroy refuses"
        )


def _asked(settings: Settings, unset: Set[Secret]) -> Iterator[str]:
    if settings.uses_cluster:
        context = f", context {settings.cluster.context}" if settings.cluster.context else ""
        yield f"kubeconfig {settings.cluster.kubeconfig}{context}"
    ssh = settings.ssh
    users = ranges(sorted({node.user or ssh.user for node in settings.present_nodes}))
    through = f", through {ssh.jump_host.host}" if ssh.jump_host else ""
    if ssh.private_key_file:
        yield f"SSH key {ssh.private_key_file} for {users}{through}"
    elif ssh.use_agent:
        yield f"an SSH agent with a key for {users}{through}"
    elif settings.has(Secret.SSH_PASSWORD) and settings.works_on_hosts and settings.present_nodes:
        still = f": pulumi config set --secret {NAMESPACE}:{Secret.SSH_PASSWORD}"
        yield f"the SSH password of {users}{through}{still if unset else ''}"
    if settings.stages.rancher and settings.rancher is not None:
        yield f"access to Docker at {settings.rancher.docker_host}"
    secrets = cluster_wanted(settings).secrets
    if secrets:
        names = ", ".join(f"{name} ({key})" for key, name in secrets)
        yield f"in the cluster, namespace longhorn-system, the Secrets {names}"
    in_file = {Secret.SSH_PRIVATE_KEY} if ssh.private_key_file else set[Secret]()
    given = sorted(settings.secret_names - in_file - unset)
    if given:
        yield f"the passphrase or key service of the stack, for its secrets: {', '.join(given)}"
