"""kubectl on a cluster of the lab."""

import json
import subprocess
from typing import Any

from lab.cluster.kubernetes import ClusterHandle


def kubectl(cluster: ClusterHandle, *words: str, text: str | None = None) -> str:
    """Standard output of kubectl; an AssertionError with its message if it fails.

    Args:
        cluster: whose kubeconfig it gets.
        words: behind the command's name.
        text: its standard input.
    """
    done = subprocess.run(
        ["kubectl", f"--kubeconfig={cluster.kubeconfig}", *words],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class OnCluster:
    """What every lab with a cluster can be asked."""

    cluster: ClusterHandle

    def kubectl(self, *words: str, text: str | None = None) -> str:
        """Standard output of kubectl on its cluster; an AssertionError if it fails."""
        return kubectl(self.cluster, *words, text=text)

    def objects(self, *words: str) -> list[dict[str, Any]]:
        """What `kubectl get … -o json` lists."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))["items"]
