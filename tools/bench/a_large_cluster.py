"""An API server of a cluster with many nodes and volumes, as far as a preview reads it.

    python -m tools.bench.a_large_cluster COUNT

It gives lists in pages, as Kubernetes does, of objects as large as real ones: with the fields that
nobody here reads, which have to be read all the same. Each volume has three replicas. It tells its
port in one line, and ends with standard input.
"""

import json
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

DISKS = ("/mnt/longhorn-sdb", "/mnt/longhorn-sdc")
_REPLICAS = 3
_IMAGES = 50
_GIBIBYTE = 2**30
_LONGHORN = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system"
_APPS = "/apis/apps/v1/namespaces"
_READY = {"lastProbeTime": "", "lastTransitionTime": "2026-11-01T00:00:00Z", "message": ""}
_READY |= {"reason": "", "status": "True"}
_CLASS = {"storageclass.kubernetes.io/is-default-class": "true"}


def name_of(number: int) -> str:
    """The name of the node of that number, from 1 on."""
    return f"node-{number}"


def _metadata(name: str, **more: Any) -> dict[str, Any]:
    fields = {"f:metadata": {"f:labels": {f"f:label-{n}": {} for n in range(10)}}}
    fields |= {"f:status": {f"f:field-{n}": {} for n in range(30)}}
    entry = {"manager": "a-manager", "operation": "Update", "apiVersion": "v1", "fieldsV1": fields}
    return {
        "name": name,
        "uid": f"00000000-0000-4000-8000-{abs(hash(name)) % 10**12:012d}",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": "2026-11-01T00:00:00Z",
        "labels": {f"example.com/label-{n}": "some-value" for n in range(10)},
        "managedFields": [entry, entry],
        **more,
    }


def _kubernetes_node(name: str) -> dict[str, Any]:
    kinds = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
    image = {"names": ["registry.example.com/team/application:1.2.3"], "sizeBytes": 1}
    return {
        "metadata": _metadata(name),
        "spec": {"podCIDR": "10.0.0.0/24"},
        "status": {
            "conditions": [{"type": kind, "status": "False", "message": "-"} for kind in kinds],
            "images": [image] * _IMAGES,
        },
    }


def _longhorn_node(name: str, held: Sequence[str]) -> dict[str, Any]:
    names = {path: path.strip("/").replace("/", "-") for path in DISKS}
    disk = {"allowScheduling": True, "evictionRequested": False, "storageReserved": 0, "tags": []}
    ready = [{"type": kind, **_READY} for kind in ("Ready", "Schedulable")]
    return {
        "metadata": _metadata(name),
        "spec": {
            "name": name,
            "allowScheduling": True,
            "evictionRequested": False,
            "tags": [],
            "disks": {
                key: {"path": path, "diskType": "filesystem", **disk} for path, key in names.items()
            },
        },
        "status": {
            "conditions": ready,
            "diskStatus": {
                key: {
                    "diskUUID": f"{name}{path}",
                    "conditions": ready,
                    "storageMaximum": 1000 * _GIBIBYTE,
                    "storageAvailable": 900 * _GIBIBYTE,
                    "storageScheduled": 10 * _GIBIBYTE * len(held),
                    "scheduledReplica": dict.fromkeys(held, 10 * _GIBIBYTE),
                }
                for path, key in names.items()
            },
        },
    }


def _volume(name: str) -> dict[str, Any]:
    claim = {"namespace": "default", "pvcName": name, "pvName": name, "workloadsStatus": []}
    return {
        "metadata": _metadata(name),
        "spec": {"size": str(10 * _GIBIBYTE), "numberOfReplicas": _REPLICAS, "nodeSelector": []},
        "status": {
            "state": "attached",
            "robustness": "healthy",
            "conditions": [{"type": "Scheduled", **_READY}],
            "kubernetesStatus": claim,
        },
    }


def _replica(volume: str, node: str) -> dict[str, Any]:
    return {
        "metadata": _metadata(f"{volume}-r-{node}"),
        "spec": {
            "volumeName": volume,
            "volumeSize": str(10 * _GIBIBYTE),
            "nodeID": node,
            "diskID": f"{node}{DISKS[0]}",
            "diskPath": DISKS[0],
            "healthyAt": "2026-11-01T00:00:00Z",
            "failedAt": "",
            "active": True,
        },
        "status": {"currentState": "running"},
    }


def lists_of(count: int) -> dict[str, list[bytes]]:
    """By path: the objects of a cluster with that many nodes and that many volumes."""
    nodes = [name_of(number) for number in range(1, count + 1)]
    volumes = [f"pvc-00000000-0000-4000-8000-{number:012d}" for number in range(count)]
    places = {
        volume: {nodes[(number + each) % count] for each in range(_REPLICAS)}
        for number, volume in enumerate(volumes)
    }
    held: dict[str, list[str]] = {node: [] for node in nodes}
    for volume, where in places.items():
        for node in where:
            held[node].append(volume)
    settings = {"current-longhorn-version": "v1.5.3", "default-replica-count": "3"}
    settings |= {"storage-over-provisioning-percentage": "100"}
    settings |= {"storage-minimal-available-percentage": "25"}
    longhorn = {
        "settings": [{"metadata": _metadata(n), "value": v} for n, v in settings.items()],
        "nodes": [_longhorn_node(node, held[node]) for node in nodes],
        "volumes": [_volume(volume) for volume in volumes],
        "replicas": [_replica(v, node) for v, where in places.items() for node in where],
        "orphans": [],
    }
    storage_class = {"metadata": _metadata("longhorn", annotations=_CLASS), "provisioner": "-"}
    found: dict[str, Iterable[Mapping[str, Any]]] = {
        "/api/v1/nodes": [_kubernetes_node(node) for node in nodes],
        "/api/v1/namespaces/longhorn-system/secrets": [],
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": [],
        "/apis/scheduling.k8s.io/v1/priorityclasses": [],
        "/apis/storage.k8s.io/v1/storageclasses": [storage_class],
        "/apis/storage.k8s.io/v1/csidrivers": [],
        "/apis/longhorn.io/v1beta2/settings": longhorn["settings"],
        f"{_APPS}/kube-system/deployments": [],
        f"{_APPS}/longhorn-system/daemonsets": [],
        f"{_APPS}/longhorn-system/deployments": [],
        **{f"{_LONGHORN}/{plural}": items for plural, items in longhorn.items()},
    }
    return {path: [json.dumps(item).encode() for item in items] for path, items in found.items()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer goes out whole, as from a real server
    lists: Mapping[str, Sequence[bytes]]

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        given = {key: values[0] for key, values in parse_qs(asked.query).items()}
        items = self.lists.get(asked.path)
        if asked.path.startswith("/version"):
            version = {"major": "1", "minor": "28", "gitVersion": "v1.28.4", "gitCommit": "-"}
            version |= {"gitTreeState": "-", "buildDate": "-", "goVersion": "-", "compiler": "-"}
            self._answer(200, json.dumps({**version, "platform": "-"}).encode())
        elif items is None:
            self._answer(404, b'{"kind":"Status","code":404}')
        else:
            first = int(given.get("continue") or 0)
            end = first + int(given.get("limit") or len(items))
            following = str(end) if end < len(items) else ""
            metadata = json.dumps({"resourceVersion": "1", "continue": following}).encode()
            body = b'{"metadata":%s,"items":[%s]}' % (metadata, b",".join(items[first:end]))
            self._answer(200, body)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: whoever measures reads the output."""


def main() -> None:
    """Serve until standard input ends."""
    _Handler.lists = lists_of(int(sys.argv[1]))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
