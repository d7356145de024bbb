"""StorageClasses of the stack: made anew, and only in the place of Longhorn's own."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from components.cluster.api import ApiError, ClusterApi
from components.longhorn.policies.present_class import remove_class
from tests.unit.doubles.a_stack import run, valid


class _Classes:
    """The cluster's classes: provisioner by name."""

    def __init__(self, **provisioners: str) -> None:
        self.found = provisioners
        self.storage = self

    def read_storage_class(self, name: str) -> Any:
        if name not in self.found:
            raise ApiError(404)
        return SimpleNamespace(provisioner=self.found[name])

    def delete_storage_class(self, name: str) -> None:
        del self.found[name]


def _removed(classes: _Classes, name: str) -> bool:
    return remove_class(cast(ClusterApi, classes), name)


def test_one_of_longhorns_in_its_place_makes_room() -> None:
    classes = _Classes(fast="driver.longhorn.io", other="driver.longhorn.io")
    assert _removed(classes, "fast")
    assert classes.found == {"other": "driver.longhorn.io"}
    assert not _removed(classes, "fast")


def test_one_of_another_driver_stays_and_is_named() -> None:
    classes = _Classes(fast="ebs.csi.aws.com")
    with pytest.raises(RuntimeError, match=r"fast is there already, for .* of ebs\.csi\.aws\.com"):
        _removed(classes, "fast")
    assert classes.found


def test_the_api_server_is_not_asked_to_take_a_class_over_the_one_it_replaces() -> None:
    recording = run(valid(longhorn={"storageClasses": [{"name": "fast"}]}))
    (provider,) = [each for each in recording.resources if each.name == "longhorn-policies-classes"]
    assert str(provider.inputs["enableServerSideApply"]).lower() == "false"
    assert "upsertExistingObjects" not in provider.inputs
    made = recording.named("longhorn-policies-class-fast")
    assert "::longhorn-policies-classes::" in made.request.provider


def test_a_stack_without_classes_has_no_provider_for_them() -> None:
    names = {each.name for each in run(valid()).resources}
    assert "longhorn-policies-classes" not in names
