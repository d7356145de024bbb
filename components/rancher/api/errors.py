"""What can go wrong with Rancher, each with what to do about it. No message holds a secret."""

from typing import Literal

NotReadyReason = Literal["unreachable", "tls", "name", "starting", "server-error", "busy"]


class RancherError(RuntimeError):
    """Anything that Rancher refused or failed to do."""


class NotReadyError(RancherError):
    """Rancher did not answer as it should before the deadline; `reason` is what it did last."""

    def __init__(self, message: str, reason: NotReadyReason) -> None:
        super().__init__(message)
        self.reason: NotReadyReason = reason

    @property
    def nothing_listens(self) -> bool:
        """Whether not even a connection was made, as when there is no Rancher any more."""
        return self.reason == "unreachable"


class CertificateMismatchError(RancherError):
    """The server at Rancher's address is not the one whose CA was pinned."""


class WrongPasswordError(RancherError):
    """Rancher does not take the password."""


class PasswordRefusedError(RancherError):
    """Rancher does not take a new password, by its own rules."""


class ExpiredTokenError(RancherError):
    """Rancher no longer takes the API token: it expired, was deleted, or is another server's."""


class ClusterNameTakenError(RancherError):
    """Another cluster already has the name."""


class BadClusterNameError(RancherError):
    """Rancher does not take the name for a cluster."""


class ClusterNotActiveError(RancherError):
    """The cluster did not become Active and Connected before the deadline."""


class RemovalUnfinishedError(RancherError):
    """Rancher still had a deleted cluster when the deadline passed."""


class ManifestMismatchError(RancherError):
    """An import manifest is not the one that was asked for; it must not be applied."""


class UnexpectedAnswerError(RancherError):
    """An answer that no rule here covers; the message has its status, code and text."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
