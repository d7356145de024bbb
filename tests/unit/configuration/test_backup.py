"""The backup target and the recurring jobs of a stack file: what is accepted, what refused."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import mistake, mistakes, valid, with_secrets

_S3: dict[str, Any] = {"target": "s3://bucket@region/", "credentialSecret": "backup"}
_JOB: dict[str, Any] = {"name": "nightly", "task": "snapshot", "cron": "0 2 * * *"}
_PREFIX = "longhorn-rancher:longhorn."


def _with(**longhorn: Any) -> dict[str, Any]:
    return valid(longhorn=longhorn)


@pytest.mark.parametrize(
    "target",
    [
        "s3://bucket@eu-central-1/",
        "s3://bucket@eu-central-1/folder/",
        "s3://bucket/folder",
        "cifs://server/share",
        "cifs://server/hidden$",
        "azblob://container@core.windows.net/",
    ],
)
def test_a_target_in_a_form_of_longhorn_is_accepted(target: str) -> None:
    assert mistakes(_with(backup={**_S3, "target": target})) == []


@pytest.mark.parametrize(
    "target",
    [
        "nfs://server:/path",
        "nfs://192.0.2.1:/path?nfsOptions=soft",
        "nfs://[2001:db8::1]:/path",
    ],
)
def test_a_target_of_nfs_needs_no_credentials(target: str) -> None:
    assert mistakes(_with(backup={"target": target})) == []


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("", "no backup target"),
        ("bucket", "no backup target"),
        ("https://bucket.s3.amazonaws.com", "no backup target"),
        ("smb://server/share", "no backup target"),
        ("s3://bucket@eu-central-1", "as Longhorn reads s3"),
        ("nfs://server/path", "as Longhorn reads nfs"),
        ("nfs://server:path", "as Longhorn reads nfs"),
        ("cifs://server", "as Longhorn reads cifs"),
        ("azblob://container/", "as Longhorn reads azblob"),
        ("s3://key:correct-horse@bucket/", "holds credentials"),
        ("s3://key:K7/correct-horse@bucket@region/", "holds credentials"),
        ("s3://key:K7@correct-horse@bucket@region/", "holds credentials"),
        ("s3://bucket@region/a$b", "dollar sign"),
        ("nfs://server:/a,b", "comma"),
    ],
)
def test_a_target_in_another_form_is_refused(target: str, found: str) -> None:
    problem = mistake(_with(backup={**_S3, "target": target}))
    assert found in problem.rule
    assert "correct-horse" not in str(problem)


@pytest.mark.parametrize(
    ("key", "now"),
    [("backupTarget", "target"), ("backupTargetCredentialSecret", "credentialSecret")],
)
def test_a_key_of_earlier_versions_names_its_new_place(key: str, now: str) -> None:
    problem = mistake(_with(defaultSettings={key: "backup"}))
    assert problem.remedy == f"Write longhorn.backup.{now} instead."


@pytest.mark.parametrize(
    "key", ["backupTarget", "backupTargetCredentialSecret", "backupstorePollInterval"]
)
def test_the_charts_own_keys_for_it_are_refused_since_later_charts_ignore_them(key: str) -> None:
    problem = mistake(_with(values={"defaultSettings": {key: "1"}}))
    assert problem.key == f"{_PREFIX}values.defaultSettings.{key}"


@pytest.mark.parametrize(
    ("backup", "secret", "key"),
    [
        ({"target": "s3://bucket/"}, None, f"{_PREFIX}backup.user"),
        ({"target": "s3://bucket/", "user": "u"}, None, "longhorn-rancher:longhornBackupPassword"),
        ({**_S3}, "p", f"{_PREFIX}backup.user"),
        ({**_S3, "user": "u"}, "p", f"{_PREFIX}backup.credentialSecret"),
        ({"target": "nfs://s:/p", "user": "u"}, None, f"{_PREFIX}backup.user"),
    ],
)
def test_credentials_that_do_not_fit_are_refused(
    backup: dict[str, Any], secret: str | None, key: str
) -> None:
    secrets = {"longhornBackupPassword": secret} if secret else {}
    assert mistake(with_secrets(_with(backup=backup), **secrets)).key == key


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"endpoint": "https://minio.example.com"}, "holds"),
        ({"virtualHostedStyle": True}, "holds"),
        ({"target": "cifs://server/share", "endpoint": "https://a.example.com"}, "means nothing"),
        ({"endpoint": "minio.example.com:9000"}, "http://"),
        ({"caFile": "/nonexistent"}, "holds"),
    ],
)
def test_what_the_credentials_do_not_hold_is_refused(changes: dict[str, Any], found: str) -> None:
    problems = mistakes(_with(backup={**_S3, **changes}))
    assert found in problems[0].rule


@pytest.mark.parametrize("login", ["key:correct-horse", "correct-horse", "key:a/correct-horse"])
def test_a_login_in_the_address_of_a_store_is_refused_and_not_shown(login: str) -> None:
    backup = {"target": "s3://bucket@here/", "user": "u", "endpoint": f"https://{login}@minio:9000"}
    problem = mistake(with_secrets(_with(backup=backup), longhornBackupPassword="p"))
    assert problem.rule.startswith("holds a login")
    assert "longhornBackupPassword" in problem.remedy
    assert "correct-horse" not in str(problem)


def test_a_store_of_ones_own_is_accepted_with_a_user() -> None:
    backup = {"target": "s3://bucket@here/", "user": "u", "endpoint": "http://192.0.2.9:9000"}
    config = with_secrets(_with(backup=backup), longhornBackupPassword="p")
    assert mistakes(config) == []


@pytest.mark.parametrize(
    "cron",
    [
        "*/5 * * * MON-FRI",
        "0 2 1,15 * *",
        "0 2 * * 0",
        "0 2 * * SUN,1-6",
        "0 2 7 7 */7",
        "@daily",
        "@every 6h",
        "@every 1h30m",
        "@every 1.5h500ms",
    ],
)
def test_a_time_that_longhorn_reads_is_accepted(cron: str) -> None:
    assert mistakes(_with(recurringJobs=[{**_JOB, "cron": cron}])) == []


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "daily",
        "0 2 * *",
        "0 2 * * * *",
        "60 * * * *",
        "0 0 L * *",
        "0 0 * * 1#2",
        "@every 5",
        "@every h",
        "@every 1h5",
    ],
)
def test_a_time_that_longhorn_does_not_read_is_refused(cron: str) -> None:
    problem = mistake(_with(recurringJobs=[{**_JOB, "cron": cron}]))
    assert problem.rule == "is no time as cron writes it"


@pytest.mark.parametrize("day", ["7", "07", "1-7", "5-7", "0,7", "7,0", "1-7/2", "7/2"])
def test_a_sunday_that_longhorn_does_not_know_is_refused(day: str) -> None:
    problem = mistake(_with(recurringJobs=[{**_JOB, "cron": f"0 2 * * {day}"}]))
    assert problem.rule == "has 7 as a day of the week, and Longhorn's go from 0 to 6"
    assert problem.remedy.startswith("Sunday is 0 or SUN")


@pytest.mark.parametrize(
    ("jobs", "key", "found"),
    [
        ([_JOB, _JOB], "recurringJobs[0].name", "another job"),
        ([{**_JOB, "name": "a" * 41}], "recurringJobs[0].name", "40 characters"),
        ([{**_JOB, "task": "backup"}], "recurringJobs[0].task", "nowhere"),
        ([{**_JOB, "task": "system-backup"}], "recurringJobs[0].task", "must be"),
        ([{**_JOB, "retain": 101}], "recurringJobs[0].retain", "100"),
    ],
)
def test_a_job_that_longhorn_would_refuse_is_refused(
    jobs: list[dict[str, Any]], key: str, found: str
) -> None:
    problem = mistakes(_with(recurringJobs=jobs))[0]
    assert problem.key == _PREFIX + key
    assert found in problem.rule


def test_jobs_of_one_group_keep_no_more_than_longhorn_takes() -> None:
    first = {**_JOB, "retain": 60, "groups": ["default"]}
    second = {**first, "name": "hourly"}
    assert "120" in mistake(_with(recurringJobs=[first, second])).rule
    assert mistakes(_with(recurringJobs=[first, {**second, "groups": ["other"]}])) == []
    assert mistakes(_with(recurringJobs=[first, {**second, "task": "filesystem-trim"}])) == []


_CHECKED: dict[str, Any] = {"stages": {"volumeCheck": True}, "volumeCheck": {"restore": True}}


def test_a_restore_needs_a_target_unless_longhorn_is_somebody_else_s() -> None:
    assert mistake(valid(**_CHECKED)).key == "longhorn-rancher:volumeCheck.restore"
    assert mistakes(valid(**_CHECKED, longhorn={"backup": _S3})) == []
    stages = {"volumeCheck": True, "longhorn": False, "frontend": False, "labels": False}
    assert mistakes(valid(**{**_CHECKED, "stages": stages})) == []


def test_how_often_a_restore_is_seen_says_nothing_without_one() -> None:
    found = mistake(valid(volumeCheck={"restoreEveryDays": 30}))
    assert found.key == "longhorn-rancher:volumeCheck.restoreEveryDays"
    assert "volumeCheck.restore: true" in str(found)
