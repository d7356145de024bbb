"""What the stand-in answers to which call. Knows nothing of sockets; time is handed in."""

import secrets
import threading
from collections.abc import Callable

from . import answers
from .accounts import AccountCalls
from .answers import Answer
from .clusters import ClusterCalls
from .context import SETTING_DEFAULTS, Caller, Context, Request, not_allowed, not_found
from .state import Cluster, User, new_id

_PUBLIC_SETTINGS = ("first-login", "cacerts")


class Api:
    """One request at a time; every change is on disk before its answer."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._accounts = AccountCalls(context)
        self._clusters = ClusterCalls(context)
        self._lock = threading.Lock()

    def first_start(self) -> str | None:
        """Make the admin user where there is none; returns a password that was generated.

        As in Rancher, a bootstrap password counts only while there are no users.
        """
        if self._context.state.users:
            return None
        wanted = self._context.options.bootstrap_password
        password = wanted or secrets.token_urlsafe(40)
        admin = User(
            id=new_id("user-", self._context.state.users),
            username="admin",
        )
        admin.set_password(password)
        self._context.state.users[admin.id] = admin
        self._context.state.clusters["local"] = Cluster(
            id="local", name="local", created=self._context.now(), imported=False
        )
        self._context.state.save()
        return None if wanted else password

    def tell_ca(self) -> None:
        """Set what agents are told of the CA, as Rancher does at each start."""
        self._context.state.settings["cacerts"] = self._context.certificates.ca_pem
        self._context.state.save()

    def answer(self, request: Request) -> Answer:
        """Carry out one request."""
        with self._lock:
            if self._context.faults.expire_tokens:
                self._context.faults.expire_tokens = False
                for token in self._context.state.tokens.values():
                    token.expired = True
            handler = self._open_handler(request)
            if handler is None:
                caller = self._accounts.caller(request)
                if caller is None:
                    return answers.must_authenticate()
                return self._answer_caller(request, caller)
            return handler()

    def _open_handler(self, request: Request) -> Callable[[], Answer] | None:
        method, path = request.method, request.path
        action = request.query.get("action")
        if method == "GET":
            if path == "/ping":
                return lambda: answers.text("pong")
            if path == "/rancherversion":
                return self._version
            if path == "/cacerts":
                return lambda: self._clusters.cacerts(request)
            if path.startswith("/v3/import/"):
                return lambda: self._clusters.import_manifest(path)
            if path.removeprefix("/v3/settings/") in _PUBLIC_SETTINGS:
                return lambda: self._setting(path.removeprefix("/v3/settings/"))
        if method == "POST":
            if path == "/v3-public/localProviders/local" and action == "login":
                return lambda: self._accounts.login(request, short=False)
            if path == "/v1-public/login" and self._context.options.has_v1_public:
                return lambda: self._accounts.login(request, short=True)
            if path.startswith("/lab/agent/"):
                return lambda: self._clusters.agent(path.removeprefix("/lab/agent/"), request)
            if path.startswith("/lab/settings/"):
                return lambda: self._patch_setting(request)
            if path == "/lab/clock":
                return lambda: self._move_clock(request)
        return None if path.startswith(("/v3/", "/k8s/clusters/")) else answers.no_such_path

    def _version(self) -> Answer:
        return answers.of(
            {
                "GitCommit": "stand-in",
                "RancherPrime": "false",
                "Version": self._context.options.version,
            }
        )

    def _answer_caller(self, request: Request, caller: Caller) -> Answer:
        if request.path.startswith("/k8s/clusters/"):
            path = request.path.removeprefix("/k8s/clusters/")
            return self._clusters.through_agent(request, path, caller)
        kind, _, name = request.path.removeprefix("/v3/").partition("/")
        by_kind: dict[str, Callable[[Request, str, Caller], Answer]] = {
            "settings": self._settings,
            "users": self._accounts.users,
            "tokens": self._accounts.tokens,
            "clusters": self._clusters.clusters,
            "clusterregistrationtokens": self._clusters.registration_tokens,
        }
        handler = by_kind.get(kind)
        return answers.no_such_path() if handler is None else handler(request, name, caller)

    def _settings(self, request: Request, name: str, _: Caller) -> Answer:
        if name not in SETTING_DEFAULTS:
            return not_found("settings", name)
        if request.method == "GET":
            return self._setting(name)
        if request.method != "PUT":
            return not_allowed(request)
        if name == "cacerts" or (name == "server-url" and self._context.options.server_url):
            return answers.error(405, "MethodNotAllowed", f"{name} is readOnly")
        self._context.state.settings[name] = str(request.body().get("value", ""))
        self._context.state.save()
        return self._setting(name)

    def _patch_setting(self, request: Request) -> Answer:
        """What kubectl inside the container does; only there is the identifier known."""
        name, value = request.path.removeprefix("/lab/settings/"), request.body().get("value")
        if request.bearer() != self._context.state.install_uuid:
            return answers.must_authenticate()
        if name not in SETTING_DEFAULTS:
            return not_found("settings", name)
        self._context.state.settings[name] = str(value)
        self._context.state.save()
        return self._setting(name)

    def _move_clock(self, request: Request) -> Answer:
        """The lab's own call: Rancher's clock is so much ahead from now on."""
        self._context.state.clock_ahead_seconds += float(request.body().get("seconds", 0.0))
        self._context.state.save()
        return answers.of({"aheadSeconds": self._context.state.clock_ahead_seconds})

    def _setting(self, name: str) -> Answer:
        default = SETTING_DEFAULTS[name]
        value = self._context.state.settings.get(name, default)
        source = "db" if name in self._context.state.settings else "default"
        if name == "install-uuid":
            value, source = self._context.state.install_uuid, "db"
        if name == "server-url" and self._context.options.server_url:
            value, source = self._context.options.server_url, "env"
        return answers.of(answers.setting(name, value, default, source))
