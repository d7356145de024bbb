"""Reading every host once: what it says about itself, and what its scripts would find.

Reads only. Whatever a host does (refuse, hang, answer garbage), it ends in a Reading: with facts,
or with one line of reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.hosts.address import HostAddress
from components.hosts.asking import Ask, ReadingPlan, Said, ask_hosts
from components.hosts.facts import FactsError, HostAnswer, NothingRanError, parse_answer
from components.hosts.question import Part, host_question
from configuration.hosts import DiskSettings
from configuration.secrets import Secret


@dataclass(frozen=True, kw_only=True)
class Question:
    """One host and the words that the script gets there."""

    address: HostAddress
    disks: Sequence[DiskSettings] = ()
    """The disks of which facts are asked."""
    parts: Sequence[Part] = ()
    """The scripts that are asked beside that."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How reading one host ended; exactly one of both is there."""

    answer: HostAnswer | None = None
    problem: str | None = None
    """Why there is no answer, in one line."""
    nothing_ran: bool = False
    """Whether it let the stack's user in and then ran nothing, without a word."""
    lacks: Secret | None = None
    """The secret that is missing or wrong, where that is why."""


def read_hosts(questions: Sequence[Question], plan: ReadingPlan) -> dict[str, Reading]:
    """A reading for every question, by the host's name. Raises nothing that a host can cause."""
    asks = [
        Ask(address=each.address, script=host_question(each.disks, each.parts))
        for each in questions
    ]
    said = ask_hosts(asks, plan)
    return {each.address.name: _understood(each, said[each.address.name]) for each in questions}


def _understood(question: Question, said: Said) -> Reading:
    if said.output is None:
        return Reading(problem=said.problem, lacks=said.lacks)
    mount_points = [disk.mount_point for disk in question.disks]
    models = {part.key: part.model for part in question.parts}
    try:
        return Reading(answer=parse_answer(said.output, mount_points, models))
    except NothingRanError as error:
        return Reading(problem=str(error), nothing_ran=True)
    except FactsError as error:
        return Reading(problem=str(error))


def unread(readings: Mapping[str, Reading]) -> dict[str, str]:
    """Reason by name for every host that was not read."""
    return {
        name: reading.problem for name, reading in readings.items() if reading.problem is not None
    }
