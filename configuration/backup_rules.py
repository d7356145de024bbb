"""Rules for the backup target and the jobs that use it. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from configuration.partial import knows
from configuration.problems import Problem
from configuration.recurring_jobs import BACKUP_TASKS
from configuration.repeated_names import repeated_names
from configuration.secrets import Secret
from configuration.stack_file import StackFile

_KEY = "longhorn.backup"
_MOST = 100


def _credentials(file: StackFile) -> Iterator[Problem]:
    backup, has_password = file.longhorn.backup, file.has(Secret.LONGHORN_BACKUP_PASSWORD)
    if backup is None:
        return
    if backup.scheme == "nfs":
        for key, value in {
            "user": backup.user,
            "credentialSecret": backup.credential_secret,
        }.items():
            if value is not None:
                yield Problem(f"{_KEY}.{key}", "is of no use: NFS asks for no login", "Remove it.")
        return
    if backup.user is not None and backup.credential_secret is not None:
        yield Problem(
            f"{_KEY}.credentialSecret",
            "is written beside longhorn.backup.user",
            "Keep one of the two.",
        )
    if backup.user is None and backup.credential_secret is None:
        yield Problem(
            f"{_KEY}.user",
            f"is required: Longhorn opens no {backup.scheme} target without credentials",
            f"Add it and the secret {Secret.LONGHORN_BACKUP_PASSWORD}, or name a Secret in "
            "credentialSecret.",
        )
    if (backup.user is None) == has_password:
        missing = str(Secret.LONGHORN_BACKUP_PASSWORD) if backup.user else f"{_KEY}.user"
        yield Problem(
            missing,
            "is missing beside "
            + (f"{_KEY}.user" if backup.user else f"the secret {Secret.LONGHORN_BACKUP_PASSWORD}"),
            f"Set it: pulumi config set --secret {Secret.LONGHORN_BACKUP_PASSWORD}."
            if backup.user
            else "Add it, or remove the secret.",
        )


def _only_with_a_user(file: StackFile) -> Iterator[Problem]:
    backup = file.longhorn.backup
    if backup is None:
        return
    style = "true" if backup.virtual_hosted_style else None
    for key, value, schemes in (
        ("endpoint", backup.endpoint, ("s3", "azblob")),
        ("caFile", backup.ca_file, ("s3", "azblob")),
        ("virtualHostedStyle", style, ("s3",)),
    ):
        if value is None:
            continue
        if backup.scheme not in schemes:
            yield Problem(
                f"{_KEY}.{key}", f"means nothing for a target of {backup.scheme}", "Remove it."
            )
        elif backup.user is None:
            yield Problem(
                f"{_KEY}.{key}",
                "is part of the credentials, which longhorn.backup.credentialSecret holds",
                "Write it into that Secret, or set longhorn.backup.user.",
            )


def _repeated_jobs(file: StackFile) -> Iterator[Problem]:
    yield from repeated_names("longhorn.recurringJobs", file.longhorn.recurring_jobs, "job")


def _backups_without_a_target(file: StackFile) -> Iterator[Problem]:
    for i, job in enumerate(file.longhorn.recurring_jobs):
        if knows(job, "task") and job.task in BACKUP_TASKS and file.longhorn.backup is None:
            yield Problem(
                f"longhorn.recurringJobs[{i}].task",
                "makes backups, and there is nowhere to put them",
                "Add longhorn.backup.target.",
                job.task,
            )


def _restore(file: StackFile) -> Iterator[Problem]:
    """A Longhorn that this stack does not install may have a target of its own."""
    check = file.volume_check
    if check.restore and file.stages.longhorn and file.longhorn.backup is None:
        yield Problem(
            "volumeCheck.restore",
            "restores a backup, and there is nowhere to put one",
            "Add longhorn.backup.target.",
        )
    if check.restore_every_days is not None and not check.restore:
        yield Problem(
            "volumeCheck.restoreEveryDays",
            "is of no use without volumeCheck.restore: true",
            "Add that, or remove it.",
        )


def _kept(file: StackFile) -> Iterator[Problem]:
    """All jobs of one group work on the same volumes."""
    jobs = [job for job in file.longhorn.recurring_jobs if knows(job, "groups", "retain", "task")]
    for group in sorted({group for job in jobs for group in job.groups}):
        kept = sum(job.kept for job in jobs if group in job.groups)
        if kept > _MOST:
            yield Problem(
                "longhorn.recurringJobs",
                f"keep {kept} snapshots and backups of each volume of group {group}, and Longhorn "
                f"takes {_MOST} at most",
                "Lower retain.",
            )


BACKUP_RULES: Sequence[Callable[[StackFile], Iterable[Problem]]] = (
    _credentials,
    _only_with_a_user,
    _repeated_jobs,
    _backups_without_a_target,
    _restore,
    _kept,
)
