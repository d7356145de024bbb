"""`longhorn` becomes the one default class; who was it before is it again at the end."""

from collections.abc import Mapping
from typing import Any

import pytest

from components.longhorn.default_class import (
    class_finding,
    give_back_default_class,
    take_default_class,
)
from components.longhorn.snapshot import DEFAULT_CLASS_KEYS, TAKEN_FROM, Snapshot

OURS, THEIRS = "project/one", "project/two"
STABLE, BETA = DEFAULT_CLASS_KEYS
DEFAULT = {STABLE: "true"}
TAKEN = {STABLE: "false", TAKEN_FROM: OURS}


class Classes:
    """StorageClasses by name, with their annotations."""

    def __init__(self, **classes: Mapping[str, str]) -> None:
        self.annotations = {name.replace("_", "-"): dict(marks) for name, marks in classes.items()}
        self.storage = self

    def patch_storage_class(self, name: str, patch: dict[str, Any]) -> None:
        for key, value in patch["metadata"]["annotations"].items():
            if value is None:
                self.annotations[name].pop(key, None)
            else:
                self.annotations[name][key] = value

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(
            settings={},
            daemon_sets=[],
            deployments=[],
            has_driver=True,
            storage_classes=list(self.annotations),
            default_classes=sorted(
                name
                for name, marks in self.annotations.items()
                if "true" in (marks.get(STABLE), marks.get(BETA))
            ),
            taken_classes={
                name: marks[TAKEN_FROM]
                for name, marks in self.annotations.items()
                if TAKEN_FROM in marks
            },
            nodes={},
        )

    def take(self, owner: str = OURS) -> bool:
        api: Any = self
        return take_default_class(api, self.snapshot, owner)

    def give_back(self, owner: str = OURS) -> bool:
        api: Any = self
        return give_back_default_class(api, self.snapshot, owner)


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        (Classes(longhorn=DEFAULT), None),
        (Classes(longhorn=DEFAULT, gp2={}), None),
        (Classes(local_path=DEFAULT), None),
        (Classes(longhorn={}), "StorageClass longhorn is not the default, and no other is"),
        (
            Classes(longhorn={}, gp2={BETA: "true"}),
            "StorageClass longhorn is not the default, and gp2 is",
        ),
        (
            Classes(longhorn=DEFAULT, local_path=DEFAULT),
            "StorageClass local-path is the default beside longhorn",
        ),
    ],
)
def test_only_one_default_class_that_is_longhorns_own_is_none_to_tell_of(
    classes: Classes, found: str | None
) -> None:
    assert class_finding(classes.snapshot, wants_default_class=True) == found
    assert class_finding(classes.snapshot, wants_default_class=False) is None


@pytest.mark.parametrize("marks", [{STABLE: "true"}, {BETA: "true"}])
def test_longhorn_takes_the_place_of_another_default_class_and_gives_it_back(
    marks: dict[str, str],
) -> None:
    classes = Classes(longhorn={}, local_path=marks)
    classes.take()
    assert classes.annotations == {"longhorn": DEFAULT, "local-path": TAKEN}
    classes.give_back()
    assert classes.annotations == {"longhorn": {STABLE: "false"}, "local-path": DEFAULT}


def test_only_what_changed_something_says_so() -> None:
    classes = Classes(longhorn=DEFAULT, local_path=DEFAULT)
    assert [classes.take(), classes.take()] == [True, False]
    assert [classes.give_back(), classes.give_back()] == [True, False]
    assert Classes(longhorn={}).take(), "only longhorn is to be marked"
    assert not Classes(local_path=DEFAULT).take(), "longhorn is not there yet"


def test_nothing_is_taken_before_longhorn_has_a_class() -> None:
    classes = Classes(local_path=DEFAULT)
    classes.take()
    assert classes.annotations == {"local-path": DEFAULT}


def test_a_class_from_which_nothing_was_taken_is_not_made_the_default() -> None:
    classes = Classes(longhorn=DEFAULT, gp2={})
    classes.give_back()
    assert classes.annotations == {"longhorn": DEFAULT, "gp2": {}}


def test_what_another_stack_has_taken_stays_with_it() -> None:
    classes = Classes(longhorn=DEFAULT, local_path=TAKEN)
    classes.give_back(THEIRS)
    assert classes.annotations["local-path"] == TAKEN


def test_where_somebody_made_a_third_class_the_default_it_stays_the_only_one() -> None:
    classes = Classes(longhorn={}, local_path=TAKEN, gp2=DEFAULT)
    classes.give_back()
    assert classes.annotations["gp2"] == DEFAULT
    assert classes.annotations["local-path"] == {STABLE: "false"}
