"""The backup target: what Longhorn is told, and when it counts as done."""

from typing import Any

import pytest

from components.cluster.api import ApiError
from components.common import waiting
from components.longhorn.backups import unavailable
from components.longhorn.policies import backup_target
from components.longhorn.policies.backup_target import BackupTargetProvider, target_settings
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_cluster import ACluster, api_error

_URL = "s3://bucket@region/"
_PROPS: dict[str, Any] = {
    "kubeconfig": "k",
    "context": None,
    "settings": target_settings(_URL, "credentials", 300),
    "credentials": "digest",
    "unavailable": "",
    "timeout_seconds": 60,
}
_REASON = "AccessDenied: the key is wrong"
PROVIDER = BackupTargetProvider()


class _Longhorn(ACluster):
    """Longhorn that looks at its target when it is asked to, as its controllers do."""

    def __init__(self) -> None:
        super().__init__()
        for name in target_settings("", "", 0):
            self.objects["settings"][name] = {"value": ""}
        self.objects["backuptargets"] = {"default": {"spec": {"backupTargetURL": ""}, "status": {}}}
        self.available = True
        self.looks = 0
        self.after_write = self._follow
        self.has_standby = False

    def patch_namespaced_custom_object(
        self, _g: str, _v: str, _n: str, plural: str, name: str, patch: dict[str, Any]
    ) -> None:
        if self.has_standby and name == "backup-target":
            said = "denied: cannot modify BackupTarget since there are existing standby volumes"
            raise api_error(403, f'{{"message": "{said}"}}')
        super().patch_namespaced_custom_object(_g, _v, _n, plural, name, patch)

    @property
    def target(self) -> dict[str, Any]:
        return self.objects["backuptargets"]["default"]

    def value(self, name: str) -> str:
        return self.objects["settings"][name]["value"]

    def _follow(self) -> None:
        spec = self.target["spec"]
        spec["backupTargetURL"] = self.value("backup-target")
        spec["credentialSecret"] = self.value("backup-target-credential-secret")
        if spec.pop("syncRequestedAt", None):
            self.looks += 1
            condition = {"type": "Unavailable", "message": _REASON}
            self.target["status"] = {
                "available": self.available,
                "lastSyncedAt": f"2026-01-01T00:00:{self.looks:02d}Z",
                "conditions": [{**condition, "status": str(not self.available)}],
            }


@pytest.fixture
def longhorn(monkeypatch: pytest.MonkeyPatch) -> _Longhorn:
    one = _Longhorn()
    monkeypatch.setattr(backup_target, "open_cluster", lambda _props: one)
    monkeypatch.setattr(backup_target, "open_for_removal", lambda _props: one)
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    return one


def test_the_settings_are_written_and_longhorn_is_asked_to_look_at_once(
    longhorn: _Longhorn,
) -> None:
    assert PROVIDER.make(_PROPS) == ("backup-target", _PROPS)
    assert longhorn.value("backup-target") == _URL
    assert longhorn.value("backup-target-credential-secret") == "credentials"
    assert longhorn.value("backupstore-poll-interval") == "300"
    assert longhorn.looks == 1


def test_a_target_that_stays_away_ends_with_longhorns_own_reason(longhorn: _Longhorn) -> None:
    longhorn.available = False
    with pytest.raises(TimeoutError, match=_REASON):
        PROVIDER.make(_PROPS)


def test_new_credentials_are_tried_although_the_target_was_available(longhorn: _Longhorn) -> None:
    PROVIDER.make(_PROPS)
    longhorn.available = False
    with pytest.raises(TimeoutError, match=_REASON):
        PROVIDER.change(_PROPS, {**_PROPS, "credentials": "other"})
    assert longhorn.looks == 2


def test_other_credentials_are_taken_although_a_standby_volume_keeps_the_target(
    longhorn: _Longhorn,
) -> None:
    PROVIDER.make(_PROPS)
    longhorn.has_standby = True
    settings = target_settings(_URL, "others", 600)
    PROVIDER.change(_PROPS, {**_PROPS, "settings": settings})
    assert longhorn.value("backup-target-credential-secret") == "others"
    assert longhorn.value("backupstore-poll-interval") == "600"
    assert longhorn.looks == 2
    moved = target_settings("s3://another@region/", "others", 600)
    with pytest.raises(ValueError, match="existing standby volumes"):
        PROVIDER.change(_PROPS, {**_PROPS, "settings": moved})


def test_an_answer_about_an_earlier_look_does_not_count(
    longhorn: _Longhorn, monkeypatch: pytest.MonkeyPatch
) -> None:
    PROVIDER.make(_PROPS)
    monkeypatch.setattr(longhorn, "after_write", lambda: None)
    with pytest.raises(TimeoutError, match="Longhorn's look at it"):
        PROVIDER.change(_PROPS, {**_PROPS, "credentials": "other"})


def test_what_longhorn_refuses_is_said_with_its_reason(longhorn: _Longhorn) -> None:
    denied = 'admission webhook \\"validator.longhorn.io\\" denied the request: space in AWS_CERT'
    longhorn.refusals = [api_error(403, f'{{"message": "{denied}"}}')]
    with pytest.raises(ValueError, match=r"space in AWS_CERT.*Correct longhorn\.backup"):
        PROVIDER.make(_PROPS)


def test_a_person_who_may_not_write_settings_is_not_sent_to_the_stack_file(
    longhorn: _Longhorn,
) -> None:
    longhorn.refusals = [api_error(403, '{"message": "settings.longhorn.io is forbidden: User x"}')]
    with pytest.raises(ApiError, match="forbidden"):
        PROVIDER.make(_PROPS)


def test_a_refresh_sees_another_target_and_one_that_is_away(longhorn: _Longhorn) -> None:
    PROVIDER.make(_PROPS)
    assert PROVIDER.look(_PROPS) == _PROPS
    longhorn.target["status"] |= {
        "available": False,
        "conditions": [{"type": "Unavailable", "status": "True", "message": _REASON}],
    }
    assert PROVIDER.look(_PROPS)["unavailable"] == f"Longhorn: {_REASON}"
    longhorn.objects["settings"]["backup-target"]["value"] = ""
    assert PROVIDER.look(_PROPS)["settings"]["backup-target"] == ""


def test_a_removal_empties_the_target(longhorn: _Longhorn) -> None:
    PROVIDER.make(_PROPS)
    PROVIDER.remove(_PROPS)
    assert longhorn.value("backup-target") == ""
    assert longhorn.value("backup-target-credential-secret") == ""


def test_a_standby_volume_keeps_the_target_only_as_long_as_longhorn_itself_stays(
    longhorn: _Longhorn, capsys: pytest.CaptureFixture[str]
) -> None:
    PROVIDER.make(_PROPS)
    longhorn.has_standby = True
    with pytest.raises(ValueError, match="existing standby volumes"):
        PROVIDER.remove(_PROPS)
    longhorn.objects["settings"]["deleting-confirmation-flag"]["value"] = "true"
    PROVIDER.remove(_PROPS)
    assert longhorn.value("backup-target") == _URL
    assert "Longhorn keeps its backup target until it goes" in capsys.readouterr().err


def test_a_removal_leaves_a_target_that_somebody_else_has_set(longhorn: _Longhorn) -> None:
    PROVIDER.make(_PROPS)
    longhorn.objects["settings"]["backup-target"]["value"] = "nfs://other:/path"
    PROVIDER.remove(_PROPS)
    assert longhorn.value("backup-target") == "nfs://other:/path"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (None, "no backup target yet"),
        ({"spec": {"backupTargetURL": "nfs://a:/b"}}, "is nfs://a:/b"),
        ({"spec": {"backupTargetURL": ""}}, "is empty"),
        ({"spec": {"backupTargetURL": _URL}}, "not tried it yet"),
        ({"spec": {"backupTargetURL": _URL}, "status": {"available": True}}, ""),
    ],
)
def test_the_reason_names_what_longhorn_has(target: dict[str, Any] | None, reason: str) -> None:
    found = unavailable(target, _URL)
    assert found.endswith(reason) if reason else found == ""


def test_a_target_that_the_preview_found_away_is_an_update_for_as_long_as_it_is() -> None:
    assert PROVIDER.diff("id", _PROPS, {**_PROPS, "finding": "Longhorn: AccessDenied"}).changes
    assert not PROVIDER.diff("id", {**_PROPS, "finding": "Longhorn: AccessDenied"}, _PROPS).changes
