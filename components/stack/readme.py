"""What a stack tells a person at the end of `up`: what is ready, where it is, and what comes next.

In Markdown, since Pulumi's console shows an output of this name so. Its command line shows an
output in one line, so `up` says the text as well. It holds no secret: only how to ask for one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from configuration.longhorn_rules import class_replicas
from configuration.settings import Settings


def readme(settings: Settings, outputs: Mapping[str, pulumi.Output[Any]]) -> pulumi.Output[str]:
    """The text, known once everything is that it speaks of.

    Args:
        settings: What the stack file says.
        outputs: The stack's other outputs by name.
    """
    stack, names = pulumi.get_stack(), frozenset(outputs)
    urls = {name: outputs[name] for name in ("longhornUrl", "rancherUrl") if name in names}
    # All of them, so that it says nothing of what is not done yet.
    rest = [value for name, value in outputs.items() if not name.endswith("Password")]

    def told(found: Mapping[str, Any]) -> str:
        text = readme_text(settings, stack, names, found)
        if not pulumi.runtime.is_dry_run():
            pulumi.log.info(text)
        return text

    return pulumi.Output.all(**urls, rest=pulumi.Output.all(*rest)).apply(told)


def readme_text(
    settings: Settings, stack: str, names: frozenset[str], urls: Mapping[str, str]
) -> str:
    """The text. Pure.

    Args:
        settings: What the stack file says.
        stack: The stack's name.
        names: Which outputs the stack has.
        urls: The addresses among them.
    """
    parts = {
        f"Ready in stack {stack}": _ready(settings, names),
        "Addresses": _addresses(settings, names, urls),
        "Next": _next(settings, stack, names),
    }
    return "\n\n".join(
        # With hyphens it would be a list in YAML, and Pulumi would show it as that.
        "\n".join([f"# {title}", "", *(f"* {line}" for line in lines)])
        for title, lines in ((title, list(lines)) for title, lines in parts.items())
        if lines
    )


def _ready(settings: Settings, names: frozenset[str]) -> Iterator[str]:
    if "disks" in names:
        disks = sum(len(settings.disks_of(node)) for node in settings.present_nodes)
        yield f"{disks} disks on {settings.nodes_with_disks} nodes, mounted"
    if "longhornVersion" in names:
        longhorn = settings.longhorn
        replicas = class_replicas(settings)
        default = ", the default class" if longhorn.default_storage_class else ""
        yield f"Longhorn {longhorn.version}: StorageClass longhorn{default}, {replicas} replicas"
    if "volumeCheck" in names:
        yield "volumes work: one was written to and read back"
        if settings.volume_check.restore:
            yield "backups work: one was restored and compared"
    if "rancherUrl" in names and settings.rancher is not None:
        yield f"Rancher {settings.rancher.tag}"
    if "rancherClusterState" in names:
        yield f"the cluster {settings.cluster.name} in Rancher"


def _addresses(settings: Settings, names: frozenset[str], urls: Mapping[str, str]) -> Iterator[str]:
    if "longhornUrl" in names:
        inside = settings.frontend.type == "ClusterIP"
        where = "inside the cluster only" if inside else "its interface"
        yield f"Longhorn ({where}): {urls['longhornUrl']}"
    if "longhornUrlInRancher" in names:
        yield "Longhorn through Rancher: pulumi stack output longhornUrlInRancher"
    if "rancherUrl" in names:
        yield f"Rancher: {urls['rancherUrl']}"
    if "rancherAdminPassword" in names and "rancherClusterState" in names:
        yield (
            "Rancher's user admin has the password that this shows: "
            "pulumi stack output --show-secrets rancherAdminPassword"
        )
    elif "rancherBootstrapPassword" in names:
        # A given manifest imports without a login, so nobody sets the password then.
        later = (
            "the password in rancherAdminPassword counts only if an import without a manifest of "
            "yours has set it"
            if settings.has_given_manifest
            else "once a cluster was imported, its user admin has the password in "
            "rancherAdminPassword"
        )
        yield (
            "Rancher's first login asks for what this shows: "
            f"pulumi stack output --show-secrets rancherBootstrapPassword; {later}"
        )


def _next(settings: Settings, stack: str, names: frozenset[str]) -> Iterator[str]:
    if "longhornVersion" in names:
        default = settings.longhorn.default_storage_class
        named = "without a class" if default else "with storageClassName: longhorn"
        yield f"a claim {named} gets a volume"
        if not settings.stages.volume_check:
            yield "prove that volumes work: stages.volumeCheck: true"
        if settings.longhorn.backup is None:
            yield "there are no backups: see docs/backups.md"
        elif not settings.volume_check.restore:
            yield "see a backup restored: volumeCheck.restore: true"
        yield f"how the storage is, at any time: make status STACK={stack}"
    if "rancherUrl" in names and not settings.stages.rancher_import:
        yield "import the cluster: stages.rancherImport: true"
    yield "keep the state and its passphrase or key: they hold the stack's secrets"
