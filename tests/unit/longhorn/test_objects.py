"""What counts as gone of Longhorn's objects."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.cluster.api import ApiError
from components.longhorn.objects import delete_object, read_object, read_objects
from tests.unit.doubles.a_cluster import api_error

_UNSERVED = "404 page not found\n"
_GONE = '{"kind":"Status","status":"Failure","reason":"NotFound","code":404}'


def _cluster(body: str, *, is_defined: bool) -> Any:
    def refused(*_where: Any, **_options: Any) -> Any:
        raise api_error(404, body)

    def definition(name: str) -> Any:
        assert name == "nodes.longhorn.io"
        if not is_defined:
            raise api_error(404, _GONE)
        return SimpleNamespace()

    return SimpleNamespace(
        custom=SimpleNamespace(
            get_namespaced_custom_object=refused,
            list_namespaced_custom_object=refused,
            delete_namespaced_custom_object=refused,
        ),
        extensions=SimpleNamespace(read_custom_resource_definition=definition),
    )


def test_an_object_that_the_api_server_does_not_have_is_gone() -> None:
    assert read_object(_cluster(_GONE, is_defined=True), "nodes", "node-1") is None


def test_a_kind_that_is_not_defined_is_not_installed() -> None:
    cluster = _cluster(_UNSERVED, is_defined=False)
    assert read_objects(cluster, "nodes") is None
    assert read_object(cluster, "nodes", "node-1") is None
    delete_object(cluster, "nodes", "node-1")


def test_a_kind_that_is_defined_and_not_served_yet_is_not_taken_for_gone() -> None:
    cluster = _cluster(_UNSERVED, is_defined=True)
    for ask in (
        lambda: read_objects(cluster, "nodes"),
        lambda: read_object(cluster, "nodes", "node-1"),
        lambda: delete_object(cluster, "nodes", "node-1"),
    ):
        with pytest.raises(ApiError, match=r"nodes\.longhorn\.io is defined and not served yet"):
            ask()
