"""Logging in, passwords and tokens."""

from . import answers
from .answers import Answer
from .context import Caller, Context, Request, not_allowed, not_found
from .state import User

_SESSION_MILLISECONDS = 16 * 60 * 60 * 1000
_MINIMUM_PASSWORD = 12


class AccountCalls:
    """The calls about users and tokens."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def login(self, request: Request, *, short: bool) -> Answer:
        body = request.body()
        if short and body.get("type") != "localProvider":
            return answers.error(422, "InvalidBodyContent", "")
        for user in self._context.state.users.values():
            if user.username == body.get("username") and user.has_password(
                str(body.get("password"))
            ):
                token, value = self._context.state.new_token(
                    user,
                    ttl_milliseconds=_SESSION_MILLISECONDS,
                    description=str(body.get("description", "")),
                    is_derived=False,
                    now=self._context.now(),
                )
                self._context.state.save()
                if short:
                    return answers.of(answers.login_token(token, value), 201)
                return answers.of(answers.token(token, self._context.now(), value), 201)
        return answers.error(401, "Unauthorized", "authentication failed")

    def caller(self, request: Request) -> Caller | None:
        token = self._context.state.token_of(request.bearer(), self._context.now())
        user = self._context.state.users.get(token.user_id) if token else None
        return Caller(user, token) if token and user else None

    def users(self, request: Request, name: str, caller: Caller) -> Answer:
        action, body = request.query.get("action"), request.body()
        if request.method == "GET" and request.query.get("me") == "true":
            me = {"id": caller.user.id, "type": "user", "username": caller.user.username}
            return answers.collection("user", [me])
        if request.method != "POST" or action not in ("changepassword", "setpassword"):
            return not_allowed(request)
        user = self._context.state.users.get(name) if name else caller.user
        if user is None:
            return not_found("users", name)
        current = str(body.get("currentPassword", "")) if action == "changepassword" else ""
        fresh = str(body.get("newPassword", ""))
        wrong = _password_problem(user, current, fresh)
        if wrong is None and action == "changepassword" and not user.has_password(current):
            wrong = "invalid current password"
        if wrong is not None:
            return answers.error(422, "InvalidBodyContent", wrong)
        user.set_password(fresh)
        self._context.state.settings["first-login"] = "false"
        self._context.state.save()
        return answers.of({"id": user.id, "type": "user", "username": user.username})

    def tokens(self, request: Request, name: str, caller: Caller) -> Answer:
        own = {
            token.name: token
            for token in self._context.state.tokens.values()
            if token.user_id == caller.user.id
        }
        if request.method == "GET" and not name:
            bodies = [answers.token(token, self._context.now()) for token in own.values()]
            return answers.collection("token", bodies)
        if request.method == "POST" and request.query.get("action") == "logout":
            del self._context.state.tokens[caller.token.name]
            self._context.state.save()
            return answers.of({})
        if request.method == "POST":
            body = request.body()
            token, value = self._context.state.new_token(
                caller.user,
                ttl_milliseconds=int(body.get("ttl", 0)),
                description=str(body.get("description", "")),
                is_derived=True,
                now=self._context.now(),
            )
            self._context.state.save()
            return answers.of(answers.token(token, self._context.now(), value), 201)
        if name not in own:
            return not_found("tokens", name)
        if request.method == "DELETE":
            if name == caller.token.name and not caller.token.is_derived:
                return answers.error(
                    400, "BadRequest", "Cannot delete token for current session. Use logout instead"
                )
            del self._context.state.tokens[name]
            self._context.state.save()
            return Answer(204)
        return answers.of(answers.token(own[name], self._context.now()))


def _password_problem(user: User, current: str, fresh: str) -> str | None:
    if len(fresh) < _MINIMUM_PASSWORD:
        return f"Password must be at least {_MINIMUM_PASSWORD} characters"
    if fresh == user.username:
        return "Password cannot be the same as the username"
    if fresh == current:
        return "The new password must not be the same as the current password"
    return None
