"""Becoming Rancher's admin: the first time, again, and after somebody changed the password."""

from collections.abc import Sequence

from components.rancher.api.client import RancherClient
from components.rancher.api.errors import ExpiredTokenError, WrongPasswordError

_RECOVERY = (
    "If nobody knows it, `docker exec CONTAINER reset-password` on the Rancher host prints a new "
    "one: configure that as the admin password."
)


def become_admin(rancher: RancherClient, admin_password: str, earlier: Sequence[str]) -> None:
    """Log in, and see to it that `admin_password` is the admin's password afterwards.

    Args:
        earlier: Passwords that the admin may still have: the bootstrap password of a new
            Rancher, the one configured before.

    Raises WrongPasswordError when none of them fits, saying which of the reasons it is.
    """
    is_new = rancher.is_first_login()
    candidates = [*earlier, admin_password] if is_new else [admin_password, *earlier]
    for password in dict.fromkeys(candidate for candidate in candidates if candidate):
        try:
            rancher.accounts.login(password)
        except WrongPasswordError:
            continue
        if password != admin_password:
            rancher.accounts.change_password(password, admin_password)
        elif is_new:
            rancher.accounts.confirm_password(admin_password)
        return
    raise WrongPasswordError(_explain(rancher, is_new))


def resume(rancher: RancherClient, api_token: str, admin_password: str) -> bool:
    """Go on with the API token, or with a login when Rancher no longer takes it.

    False when it was a login, so that the token should be renewed. Raises WrongPasswordError; where
    there is no password, ExpiredTokenError.
    """
    if api_token:
        rancher.accounts.use_token(api_token)
        try:
            rancher.server_url()
        except ExpiredTokenError:
            if not admin_password:
                raise refused_token(rancher) from None
        else:
            return True
    try:
        rancher.accounts.login(admin_password)
    except WrongPasswordError as error:
        raise WrongPasswordError(
            f"{error} It was changed in Rancher: configure the present one as the admin password. "
            f"{_RECOVERY}"
        ) from None
    return False


def refused_token(rancher: RancherClient) -> ExpiredTokenError:
    """The error for a token that a person gave and Rancher does not take."""
    return ExpiredTokenError(
        f"Rancher at {rancher.url} does not take the API token that was given: it expired, was "
        "deleted or is another Rancher's. Make another one there (Account & API Keys) and give it "
        "in its place."
    )


def _explain(rancher: RancherClient, is_new: bool) -> str:
    if is_new:
        return (
            f"Rancher at {rancher.url} takes neither the bootstrap password nor the admin "
            "password, although nobody has set one yet: its data volume is older than this "
            "bootstrap password, which Rancher reads only while it has no users. Configure the "
            "bootstrap password of its first start (if Rancher made it: docker logs CONTAINER "
            f"2>&1 | grep 'Bootstrap Password:'). {_RECOVERY}"
        )
    return (
        f"Rancher at {rancher.url} takes neither the admin password nor the bootstrap password: "
        "it was set up before, by hand or on a data volume from an earlier installation, and "
        "then ignores a new bootstrap password. Configure the password that its user admin has "
        f"as the admin password. {_RECOVERY}"
    )
