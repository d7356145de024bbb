"""`make plan`: what a person is told, on one screen."""

import subprocess
import sys
from typing import Any

import pytest
from rich.console import Console

from tests.unit.doubles.a_stack import HOST_KEY, nodes, run, valid, with_secrets
from tools.offline.stack_file import PROJECT, stack_config
from tools.plan.nodes import ranges
from tools.plan.plan import lacks_password
from tools.plan.screen import plan_screen

_LINES, _COLUMNS = 50, 100
"""A terminal that nobody made small."""


def _screen(config: Any, width: int = 200, *, still_lacks: bool = False) -> str:
    recording = run(config, preview=True)
    console = Console(width=width, markup=False)
    with console.capture() as capture:
        console.print(plan_screen(recording, "test", still_lacks))
    return capture.get()


def _disks(device: str) -> list[dict[str, str]]:
    return [{"device": device, "mountPoint": "/mnt/longhorn"}]


def _thirty(**of_each: Any) -> dict[str, Any]:
    """A stack with every stage and thirty equal nodes."""
    many = [
        {
            "name": f"node-{number}",
            "host": f"10.0.0.{number}",
            "hostKey": HOST_KEY,
            **{key: make(number) for key, make in of_each.items()},
        }
        for number in range(1, 31)
    ]
    return valid(nodes=many, stages={"volumeCheck": True, "rancherImport": True})


def _by_id(number: int) -> list[dict[str, str]]:
    """Two disks by names that last, as `make new` writes them."""
    model = "scsi-SATA_A_Model_Of_Some_Length"
    return [
        {"device": f"/dev/disk/by-id/{model}_{number}{disk}", "mountPoint": f"/mnt/longhorn-{disk}"}
        for disk in (1, 2)
    ]


def test_thirty_equal_nodes_are_told_once_and_fit_on_a_screen() -> None:
    text = _screen(_thirty(), _COLUMNS)
    assert "30 nodes" in text
    assert "node-1 to node-30" in text
    assert "10.0.0.1 to 10.0.0.30" in text
    assert text.count("/dev/sdb → ext4 on /mnt/longhorn-sdb") == 1
    assert len(text.splitlines()) <= _LINES
    assert max(map(len, text.splitlines())) <= _COLUMNS


def test_thirty_nodes_whose_disks_have_lasting_names_fit_on_a_screen_too() -> None:
    text = _screen(_thirty(disks=_by_id), _COLUMNS)
    assert "30 nodes" in text
    assert "node-1: /dev/disk/by-id/" in text
    assert "27 more with disks of their own" in text
    assert len(text.splitlines()) <= _LINES


@pytest.mark.parametrize(
    ("rancher", "said"),
    [({}, "from a CA of its own"), ({"tlsTermination": "external"}, "of the proxy in front")],
)
def test_whose_rancher_s_certificate_is_is_told(rancher: dict[str, Any], said: str) -> None:
    url = "https://rancher.example.com"
    assert f"certificate {said}, data in" in _screen(valid(rancher={"url": url, **rancher}))


def test_a_login_to_the_chart_s_repository_is_not_shown() -> None:
    text = _screen(valid(longhorn={"chartRepository": "https://u:correct-horse@charts.corp/a"}))
    assert "chart from https://[secret]@charts.corp/a, in" in text
    assert "correct-horse" not in text


def test_backups_classes_and_monitoring_are_told() -> None:
    config = valid(
        longhorn={
            "backup": {"target": "nfs://192.0.2.9:/backups", "maximumAgeHours": 24},
            "recurringJobs": [
                {
                    "name": "nightly",
                    "task": "backup",
                    "cron": "0 2 * * *",
                    "retain": 7,
                    "groups": ["default"],
                }
            ],
            "storageClasses": [{"name": "fast"}],
            "monitoring": {"dashboard": False},
        },
        rancher={
            "url": "https://rancher.example.com",
            "backup": {"folder": "/srv/backups", "everyDays": 2},
        },
    )
    text = _screen(config)
    for told in (
        "to nfs://192.0.2.9:/backups",
        "nightly: backup at 0 2 * * *, 7 kept, of the groups default",
        "older than 24 hours",
        "Own classes",
        "metrics, alerts\n",
        "stopped every 2 days at 02:30 UTC for a backup to /srv/backups, 7 kept",
        "the backups in /srv/backups on the Docker host",
    ):
        assert told in "\n".join(line.rstrip() for line in text.splitlines()) + "\n", told
    plain = _screen(valid())
    assert "Its backups" not in plain
    assert "Monitoring" not in plain


def test_a_password_that_is_still_to_be_set_is_asked_of_the_person() -> None:
    bare = valid(ssh={"user": "ops", "jumpHost": {"host": "bastion", "hostKey": HOST_KEY}})
    assert lacks_password(stack_config(bare))
    with_password = with_secrets(bare, sshPassword="typed-by-nobody")
    assert not lacks_password(with_password)
    line = "the SSH password of ops, through bastion"
    command = "pulumi config set --secret longhorn-rancher:sshPassword"
    assert f"{line}: {command}" in _screen(with_password, still_lacks=True)
    told = _screen(with_password)
    assert line in told
    assert command not in told


def test_nodes_whose_disks_differ_by_name_only_are_told_once_with_their_disks() -> None:
    text = _screen(
        valid(
            nodes=nodes(
                {"disks": _disks("/dev/disk/by-id/wwn-1")},
                {"disks": _disks("/dev/disk/by-id/wwn-2")},
            )
        )
    )
    assert text.count("its disk → ext4 on /mnt/longhorn") == 1
    assert "node-1: /dev/disk/by-id/wwn-1" in text
    assert "node-2: /dev/disk/by-id/wwn-2" in text


@pytest.mark.parametrize(
    "change",
    [{"controlPlane": True}, {"disks": []}, {"tags": ["fast"]}, {"user": "ops"}, {"lost": True}],
    ids=lambda change: next(iter(change)),
)
def test_a_node_of_another_kind_is_told_apart(change: dict[str, Any]) -> None:
    text = _screen(valid(nodes=nodes({}, {}, change)))
    assert "2 nodes" in text
    assert "Node node-3" in text


def test_it_is_told_where_k3s_is_kept_from_a_default_class() -> None:
    told = "a server of K3s is kept from making local-path the default class"
    assert told in _screen(valid(nodes=nodes({"controlPlane": True})))
    assert told not in _screen(valid(nodes=nodes({})))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a"], "a"),
        (["node-1", "node-2"], "node-1, node-2"),
        (["k8s-node-9", "k8s-node-10", "k8s-node-11"], "k8s-node-9 to k8s-node-11"),
        (["n1", "n2", "n3", "n5", "x"], "n1 to n3, n5, x"),
        (["n1.a", "n2.a", "n3.b"], "n1.a, n2.a, n3.b"),
        (["10.0.0.254", "10.0.0.255", "10.0.1.0"], "10.0.0.254, 10.0.0.255, 10.0.1.0"),
    ],
)
def test_only_what_counts_up_becomes_a_range(words: list[str], told: str) -> None:
    assert ranges(words) == told


@pytest.mark.parametrize(
    ("stages", "title"),
    [
        ({"longhorn": False, "frontend": False}, "Longhorn 1"),
        ({"frontend": False}, "Its interface"),
        ({"volumeCheck": False}, "Volume check"),
        ({"rancher": False}, "Rancher v"),
        ({"rancherImport": False}, "Import"),
        ({"packages": False, "disks": False, "labels": False}, "by SSH"),
        ({"packages": False}, "packages"),
        ({"labels": False}, "label "),
    ],
)
def test_a_stage_that_is_off_is_not_told(stages: dict[str, bool], title: str) -> None:
    everything = {"volumeCheck": True, "rancherImport": True}
    assert title in _screen(valid(stages=everything))
    assert title not in _screen(
        valid(
            stages={
                **everything,
                **({"rancherImport": False} if "rancher" in stages else {}),
                **stages,
            }
        )
    )


def test_of_longhorn_only_what_differs_from_its_defaults_is_listed() -> None:
    usual = _screen(valid())
    assert "createDefaultDiskLabeledNodes = true" in usual
    assert "kubeletRootDir" not in usual
    changed = _screen(
        valid(
            longhorn={
                "kubeletRootDir": "/k",
                "replicaCount": 2,
                "defaultSettings": {"replicaAutoBalance": "best-effort"},
            }
        )
    )
    assert "csi.kubeletRootDir = /k" in changed
    assert "defaultSettings.defaultReplicaCount = 2" in changed
    assert "defaultSettings.replicaAutoBalance = best-effort" in changed
    assert "class longhorn: the default class, 2 replicas" in changed


def test_the_chart_s_values_are_told_without_the_password_that_is_among_them() -> None:
    longhorn = {"registry": "r.example.com", "registrySecret": "pull", "registryUser": "robot"}
    text = _screen(with_secrets(valid(longhorn=longhorn), longhornRegistryPassword="hidden"))
    assert "privateRegistry.registryUser = robot" in text
    assert "privateRegistry.registryPasswd = [secret]" in text
    assert "hidden" not in text


@pytest.mark.parametrize(
    ("frontend", "told"),
    [
        ({}, "inside the cluster only"),
        (
            {"type": "NodePort", "nodePort": 30080},
            "http://192.0.2.11:30080: for whoever reaches a node, without a password",
        ),
        ({"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]}, "for 10.0.0.0/8, without"),
        (
            {"type": "LoadBalancer", "sourceRanges": ["10.0.0.0/8"]},
            "at its NodePort: for whoever reaches a node, without a password",
        ),
    ],
    ids=["ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer's NodePort"],
)
def test_who_reaches_the_interface_is_told(frontend: dict[str, Any], told: str) -> None:
    assert told in _screen(valid(frontend=frontend))


def test_a_guarded_ingress_is_told_as_guarded_without_its_password() -> None:
    frontend = {"type": "Ingress", "host": "a.example.com", "tlsSecret": "tls"}
    hashed = "ops:$apr1$hidden$" + "x" * 22
    text = _screen(with_secrets(valid(frontend=frontend), frontendBasicAuth=hashed))
    assert "https://a.example.com: for whoever reaches the Ingress, with the password in" in text
    assert "hidden" not in text


def test_what_destroy_keeps_is_told_and_what_it_takes_too() -> None:
    kept = _screen(valid())
    assert "4 file systems with their data" in kept
    assert "Docker volume rancher-data" in kept
    assert "destroy refuses" in kept
    assert "namespace longhorn-system" not in kept.partition("Kept on destroy")[2]
    taken = _screen(
        valid(
            longhorn={"allowUninstall": True},
            rancher={"url": "https://rancher.example.com", "removeDataOnDestroy": True},
        )
    )
    assert "Docker volume rancher-data" not in taken
    assert "not Rancher's data: rancher.removeDataOnDestroy is true" in taken
    assert "not Longhorn's volumes: longhorn.allowUninstall is true" in taken


def test_what_is_asked_of_the_person_is_told() -> None:
    text = _screen(
        with_secrets(
            valid(longhorn={"registry": "r.example.com", "registrySecret": "pull"}),
            sudoPassword="hidden",
        )
    )
    assert "kubeconfig ~/.kube/config" in text
    assert "an SSH agent with a key for root" in text
    assert "the Secrets pull (longhorn.registrySecret)" in text
    assert "secrets: sudoPassword" in text
    assert "hidden" not in text


def test_a_pipe_gets_no_colours_and_a_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "tools.plan", "three-nodes"]

    def shown() -> str:
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
        return done.stdout

    assert "\x1b[" not in shown()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in shown()
