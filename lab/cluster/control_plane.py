"""How each process of the lab's control plane is started: its certificates, files and arguments.

Pure of processes: lab.cluster.kubernetes starts, watches and ends them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.cluster.kubeconfig import kubeconfig_text
from lab.common.certificates import Authority, KeyPair

# Longhorn and Rancher are reached through Services; the lab's network must not overlap with these.
SERVICE_NETWORK = "10.96.0.0/16"
SERVICE_OF_THE_API = "10.96.0.1"
POD_NETWORK = "10.244.0.1/16"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """The TCP ports of one lab's control plane."""

    api: int
    etcd: int
    etcd_peer: int


@dataclass(frozen=True)
class ControlPlane:
    """The arguments of one lab's control plane.

    Args:
        folder: holds the certificates, the kubeconfigs and etcd's data.
        address: where the API is served; other addresses of the machine are not listened on.
        names: every address and name that the API's certificate is valid for.
        ports: the TCP ports.
    """

    folder: Path
    address: str
    names: Sequence[str]
    ports: Ports

    @property
    def server(self) -> str:
        """The API's URL."""
        return f"https://{self.address}:{self.ports.api}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "admin.kubeconfig"

    def commands(self, binaries: Mapping[str, Path]) -> dict[str, list[str | Path]]:
        """The command line of each process, in the order in which they are started.

        Writes the certificates and kubeconfigs that they name.
        """
        authority = Authority(self.folder / "certificates", "lab-kubernetes")
        self._kubeconfig(authority, "admin", user="lab-admin", groups=["system:masters"])
        return {
            "etcd": [binaries["etcd"], *self._etcd(authority)],
            "kube-apiserver": [binaries["kube-apiserver"], *self._api_server(authority)],
            "kube-controller-manager": [
                binaries["kube-controller-manager"],
                *self._controller_manager(authority),
            ],
            "kube-scheduler": [binaries["kube-scheduler"], *self._scheduler(authority)],
            "kwok": [binaries["kwok"], *self._kwok(authority)],
        }

    def _etcd(self, authority: Authority) -> list[str]:
        server = authority.issue("etcd", user="etcd", hosts=[LOOPBACK])
        client_url = f"https://{LOOPBACK}:{self.ports.etcd}"
        peer_url = f"https://{LOOPBACK}:{self.ports.etcd_peer}"
        return [
            "--name=lab",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client_url}",
            f"--advertise-client-urls={client_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=lab={peer_url}",
            "--client-cert-auth",
            *_tls(server, "cert-file", "key-file"),
            f"--trusted-ca-file={authority.files.certificate}",
            "--peer-client-cert-auth",
            *_tls(server, "peer-cert-file", "peer-key-file"),
            f"--peer-trusted-ca-file={authority.files.certificate}",
            # A lab's data is gone with the lab: waiting for the disk at each write buys nothing.
            "--unsafe-no-fsync",
        ]

    def _api_server(self, authority: Authority) -> list[str]:
        server = authority.issue("kube-apiserver", user="kube-apiserver", hosts=self.names)
        client = authority.issue("etcd-client", user="kube-apiserver-etcd-client")
        account_key = authority.signing_key("service-accounts")
        return [
            f"--bind-address={self.address}",
            f"--secure-port={self.ports.api}",
            f"--etcd-servers=https://{LOOPBACK}:{self.ports.etcd}",
            f"--etcd-cafile={authority.files.certificate}",
            *_tls(client, "etcd-certfile", "etcd-keyfile"),
            *_tls(server, "tls-cert-file", "tls-private-key-file"),
            f"--client-ca-file={authority.files.certificate}",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={account_key}",
            f"--service-account-signing-key-file={account_key}",
            # An endpoint on the loopback address is not valid; nothing here uses that Service.
            *(["--endpoint-reconciler-type=none"] if self.address == LOOPBACK else []),
            # Nothing plays kube-proxy: webhooks are called at their pods' addresses.
            "--enable-aggregator-routing=true",
            "--profiling=false",
        ]

    def _controller_manager(self, authority: Authority) -> list[str]:
        name = "kube-controller-manager"
        kubeconfig = self._kubeconfig(authority, name, user=f"system:{name}")
        return [
            f"--kubeconfig={kubeconfig}",
            f"--service-account-private-key-file={authority.signing_key('service-accounts')}",
            f"--root-ca-file={authority.files.certificate}",
            f"--cluster-signing-cert-file={authority.files.certificate}",
            f"--cluster-signing-key-file={authority.files.key}",
            "--use-service-account-credentials",
            "--leader-elect=false",
            # Nobody reads its metrics here: it serves nothing.
            "--secure-port=0",
        ]

    def _scheduler(self, authority: Authority) -> list[str]:
        name = "kube-scheduler"
        kubeconfig = self._kubeconfig(authority, name, user=f"system:{name}")
        return [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"]

    def _kwok(self, authority: Authority) -> list[str]:
        kubeconfig = self._kubeconfig(authority, "kwok", user="kwok", groups=["system:masters"])
        stages = Path(__file__).parent / "kwok"
        return [
            f"--kubeconfig={kubeconfig}",
            *(f"--config={file}" for file in sorted(stages.glob("*.yaml"))),
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            f"--cidr={POD_NETWORK}",
            # Any free port: nobody asks kwok for anything.
            f"--server-address={LOOPBACK}:0",
        ]

    def _kubeconfig(
        self, authority: Authority, name: str, *, user: str, groups: Sequence[str] = ()
    ) -> Path:
        """Write the kubeconfig of one user, readable by its owner only."""
        pair = authority.issue(name, user=user, groups=groups)
        path = self.folder / f"{name}.kubeconfig"
        text = kubeconfig_text(self.server, authority.files.certificate, pair, user)
        path.touch(mode=0o600)
        path.write_text(text)
        return path


def _tls(pair: KeyPair, certificate_flag: str, key_flag: str) -> list[str]:
    return [f"--{certificate_flag}={pair.certificate}", f"--{key_flag}={pair.key}"]
