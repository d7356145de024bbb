"""How one stand-in is to behave: where it keeps its state, which version it plays, how fast."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """The fixed properties of one stand-in; what may change while it runs is in `faults`.

    data_directory: survives a restart when it is a volume, as /var/lib/rancher does.
    bootstrap_password: None means that one is generated and printed at the first start.
    certificate_directory: cert.pem, key.pem and cacerts.pem to serve with, if they are there.
    no_cacerts: agents are told of no CA, since everybody trusts what they meet.
    system_default_registry: where Rancher has its agents' images taken from; empty for nowhere.
    version: as `/rancherversion` gives it; from v2.13 on, `/v1-public/login` exists.
    token_delay_seconds: how long a new cluster is without its registration token.
    activation_seconds: how long a cluster whose agent connected is still `waiting`.
    agent_silence_seconds: after this long without a word from its agent a cluster is
        `unavailable`.
    check_seconds: how long an agent without features still counts as connected, since Rancher
        looks only every now and then.
    start_seconds: how long nothing listens at all after the start.
    """

    data_directory: Path
    bootstrap_password: str | None = None
    certificate_directory: Path | None = None
    no_cacerts: bool = False
    version: str = "v2.8.5"
    server_url: str | None = None
    system_default_registry: str = ""
    token_delay_seconds: float = 1.5
    activation_seconds: float = 1.0
    agent_silence_seconds: float = 30.0
    check_seconds: float = 15.0
    start_seconds: float = 0.0

    @property
    def has_v1_public(self) -> bool:
        """Whether the login path of Rancher 2.13 and later exists."""
        return self._is_at_least(2, 13, 0)

    @property
    def checks_import_tokens(self) -> bool:
        """Whether an import manifest is refused for a token that nobody made: from 2.14.4 on."""
        return self._is_at_least(2, 14, 4)

    def _is_at_least(self, *wanted: int) -> bool:
        numbers = self.version.lstrip("v").split("-")[0].split(".")
        return tuple(int(number) for number in numbers) >= wanted


def from_environment(environment: Mapping[str, str] = os.environ) -> Options:
    """Read what Rancher itself reads (CATTLE_*) and what only the stand-in knows (LAB_*)."""
    return Options(
        data_directory=Path(environment.get("LAB_RANCHER_DATA", "/var/lib/rancher")),
        bootstrap_password=environment.get("CATTLE_BOOTSTRAP_PASSWORD") or None,
        certificate_directory=Path(environment.get("LAB_RANCHER_CERTIFICATES", "/etc/rancher/ssl")),
        version=environment.get("CATTLE_SERVER_VERSION", "v2.8.5"),
        server_url=environment.get("CATTLE_SERVER_URL") or None,
        system_default_registry=environment.get("CATTLE_SYSTEM_DEFAULT_REGISTRY", ""),
        token_delay_seconds=float(environment.get("LAB_RANCHER_TOKEN_DELAY_SECONDS", "1.5")),
        activation_seconds=float(environment.get("LAB_RANCHER_ACTIVATION_SECONDS", "1")),
        agent_silence_seconds=float(environment.get("LAB_RANCHER_AGENT_SILENCE_SECONDS", "30")),
        check_seconds=float(environment.get("LAB_RANCHER_CHECK_SECONDS", "15")),
        start_seconds=float(environment.get("LAB_RANCHER_START_SECONDS", "0")),
    )
