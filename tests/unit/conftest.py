"""What every unit test starts from: a loop and a home of its own, and no stack configuration."""

import asyncio
import pickle
import weakref
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml
from pulumi.runtime.settings import SETTINGS


def _once_per_text(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same parser, which parses the same text only once: each caller gets its own copy.

    Thousands of tests read the same kubeconfig, manifests and charts.
    """

    @lru_cache(maxsize=1000)
    def parsed(text: str | bytes) -> bytes:
        return pickle.dumps(parse(text))

    def own(text: Any) -> Any:
        if not isinstance(text, str | bytes):
            return parse(text)  # a stream, which is another one each time
        return pickle.loads(parsed(text))  # noqa: S301  made right here

    return own


_load_all = yaml.safe_load_all
yaml.safe_load = _once_per_text(yaml.safe_load)
yaml.safe_load_all = _once_per_text(lambda text: list(_load_all(text)))


@pytest.fixture(autouse=True)
def _event_loop_of_its_own() -> Iterator[None]:
    """A fresh loop for each test, closed after it: shared ones let pending tasks leak."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Its own alone: asyncio.all_tasks looks through those of every loop that there was.
    started: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()

    def start(of: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=of, **options)
        started.add(task)
        return task

    loop.set_task_factory(start)
    yield
    if pending := [task for task in started if not task.done()]:
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()
    # The SDK keeps a list of outputs, and would wait in a later test for one of this loop.
    cast(Any, SETTINGS).outputs.clear()


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key of an earlier test, and none from the environment."""
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_SECRET_KEYS", raising=False)
    pulumi.runtime.set_all_config({}, [])
    yield
    pulumi.runtime.set_all_config({}, [])


_KUBECONFIG = """\
clusters: [{name: test, cluster: {server: "https://192.0.2.10:6443"}}]
users: [{name: test, user: {token: of-nobody}}]
contexts:
  - {name: test, context: {cluster: test, user: test}}
  - {name: here, context: {cluster: test, user: test}}
current-context: test
"""


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home directory with a kubeconfig, which the settings look at."""
    home = tmp_path_factory.mktemp("home")
    (home / ".kube").mkdir()
    (home / ".kube" / "config").write_text(_KUBECONFIG)
    return home


@pytest.fixture(autouse=True)
def _home_of_its_own(_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same home on every machine."""
    monkeypatch.setenv("HOME", str(_home))
    monkeypatch.delenv("KUBECONFIG", raising=False)
