"""Rancher's logins, passwords and API tokens."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from components.common.answers import time_in
from components.rancher.api.errors import (
    ExpiredTokenError,
    PasswordRefusedError,
    RancherError,
    UnexpectedAnswerError,
    WrongPasswordError,
)
from components.rancher.api.transport import Answer, Transport

ADMIN = "admin"
_V1_LOGIN = "/v1-public/login"  # from Rancher 2.13 on
_V3_LOGIN = "/v3-public/localProviders/local?action=login"
_RENEWED_BEFORE = timedelta(days=30)
_INVALID_CURRENT = "invalid current password"


@dataclass(frozen=True)
class ApiToken:
    """A token as Rancher made it; the value is known only then."""

    id: str
    expires_at: str
    """When Rancher stops taking it, by this machine's clock; empty for one that never ends."""
    made_at: str
    """When it was made, by the same clock."""
    value: str = field(repr=False)


def ends_soon(expires_at: str, now: datetime, made_at: str = "") -> bool:
    """Whether a token with this end should be renewed: less than a month before it. Pure.

    In the last third of its life if that is less: a Rancher may give its tokens a week.

    Args:
        expires_at: ApiToken.expires_at; what is no date counts as no end.
        now: With its time zone.
        made_at: ApiToken.made_at; what is no date counts as long ago.
    """
    end, made = time_in(expires_at), time_in(made_at)
    if end is None:
        return False
    before = _RENEWED_BEFORE if made is None else min(_RENEWED_BEFORE, (end - made) / 3)
    return end - now < before


class Accounts:
    """Owns who this program is for Rancher: a session of the admin, or an API token."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._token: str | None = None
        self._is_session = False

    def use_token(self, value: str) -> None:
        """Make further calls with this API token."""
        self._token, self._is_session = value, False

    def login(self, password: str) -> None:
        """Log in as admin and make further calls in that session. Raises WrongPasswordError."""
        sent = {"username": ADMIN, "password": password, "responseType": "json"}
        answer = self._transport.call(
            "POST",
            _V1_LOGIN,
            what="logging in",
            body={**sent, "type": "localProvider"},
            missing_route_is_answer=True,
        )
        if answer.status == 404:
            answer = self._transport.call("POST", _V3_LOGIN, what="logging in", body=sent)
        if answer.status == 401:
            raise WrongPasswordError(
                f"Rancher at {self._transport.url} does not take this password for user {ADMIN}."
            )
        value = answer.body.get("token")
        if answer.status not in (200, 201) or not value:
            raise unexpected(answer, "logging in")
        self._token, self._is_session = str(value), True

    def logout(self) -> None:
        """End the session, if it is one; a server that has gone meanwhile is no error."""
        if not self._is_session or self._token is None:
            return
        token, self._token = self._token, None
        try:
            self._transport.call(
                "POST",
                "/v3/tokens?action=logout",
                what="logging out",
                body={},
                token=token,
                missing_route_is_answer=True,
                retry_seconds=0,
            )
        except RancherError as error:
            self._transport.say(f"the session was not closed and ends by itself: {error}")

    def call(
        self,
        method: str,
        path: str,
        *,
        what: str,
        body: Any = None,
        retry_seconds: float | None = None,
    ) -> Answer:
        """A call that needs a login. Raises ExpiredTokenError when Rancher does not take ours."""
        answer = self._transport.call(
            method, path, what=what, body=body, token=self._token, retry_seconds=retry_seconds
        )
        if answer.status == 401:
            raise ExpiredTokenError(
                f"Rancher at {self._transport.url} no longer takes the API token ({what}): it "
                "expired or was deleted. Run `pulumi up --refresh`, which logs in with the admin "
                "password and makes a new one."
            )
        return answer

    def change_password(self, current: str, new: str) -> None:
        """Give the admin another password. Raises PasswordRefusedError.

        A first attempt may have gone through without its answer, so a complaint about the
        current password is believed only if the new one does not work either.
        """
        answer = self.call(
            "POST",
            "/v3/users?action=changepassword",
            what="changing the password",
            body={"currentPassword": current, "newPassword": new},
        )
        if answer.status == 200:
            return
        if answer.message == _INVALID_CURRENT:
            self.login(new)
            return
        raise _refused(answer, "changing the password")

    def confirm_password(self, password: str) -> None:
        """Set the password that the admin has already, which ends Rancher's first-login mode."""
        answer = self.call("GET", "/v3/users?me=true", what="reading the own user")
        users = cast("list[dict[str, Any]]", answer.body.get("data") or [])
        if answer.status != 200 or not users:
            raise unexpected(answer, "reading the own user")
        answer = self.call(
            "POST",
            f"/v3/users/{users[0]['id']}?action=setpassword",
            what="setting the password",
            body={"newPassword": password},
        )
        if answer.status != 200:
            raise _refused(answer, "setting the password")

    def replace_api_token(self, description: str) -> ApiToken:
        """Make an API token, after deleting those of the same description.

        So a run that died before it could keep its token leaves none behind for good.
        """
        self.delete_api_tokens(description)
        answer = self.call(
            "POST",
            "/v3/tokens",
            what="making an API token",
            body={"type": "token", "description": description, "ttl": 0},
        )
        if answer.status != 201:
            raise unexpected(answer, "making an API token")
        body = answer.body
        # The answer says no end although there is one: Rancher puts its longest time to live, 90
        # days as it comes, in the place of 0.
        # Source: Rancher 2.8.5, pkg/auth/tokens/manager.go, ClampToMaxTTL.
        milliseconds = int(body.get("ttl") or 0)
        now = datetime.now(UTC)
        end = now + timedelta(milliseconds=milliseconds)
        return ApiToken(
            str(body["id"]),
            expires_at=end.isoformat(timespec="seconds") if milliseconds else "",
            made_at=now.isoformat(timespec="seconds"),
            value=str(body["token"]),
        )

    def delete_api_tokens(self, description: str) -> None:
        """Delete the own API tokens that have this description, the one in use last."""
        in_use = (self._token or "").partition(":")[0]
        for token in sorted(self._api_tokens(), key=lambda token: token.get("id") == in_use):
            if token.get("description") == description:
                gone = self.call(
                    "DELETE", f"/v3/tokens/{token['id']}", what="deleting an API token"
                )
                if gone.status not in (200, 204, 404, 410):
                    raise unexpected(gone, "deleting an API token")

    def has_api_token(self, token_id: str) -> bool:
        """Whether the own API token with this id exists and has not expired."""
        return any(
            token.get("id") == token_id and not token.get("expired") for token in self._api_tokens()
        )

    def _api_tokens(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "/v3/tokens", what="listing API tokens")
        if answer.status != 200:
            raise unexpected(answer, "listing API tokens")
        return cast("list[dict[str, Any]]", answer.body.get("data") or [])


def expected(answer: Answer, what: str, status: int) -> dict[str, Any]:
    """The body of an answer with this status. Raises UnexpectedAnswerError for another."""
    if answer.status != status:
        raise unexpected(answer, what)
    return answer.body


def unexpected(answer: Answer, what: str) -> UnexpectedAnswerError:
    """The error for an answer that nothing here expects."""
    said = " ".join(part for part in (answer.code, answer.message) if part) or "no explanation"
    return UnexpectedAnswerError(
        f"Rancher answered HTTP {answer.status} ({said}) when {what}. "
        "See `docker logs` on the Rancher host.",
        answer.status,
    )


def _refused(answer: Answer, what: str) -> RancherError:
    if answer.status == 422:
        return PasswordRefusedError(
            f"Rancher does not take the admin password: {answer.message}. Configure another one."
        )
    return unexpected(answer, what)
