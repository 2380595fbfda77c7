"""What a run observed of the open questions: the adapter's fingerprint; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vdi_conformance.evidence.records import CheckRecord


@dataclass(frozen=True)
class Answered:
    """One thing that was tried to answer an open question: each answer that came, and the checks that saw it."""

    question: str
    subject: str
    checks: Mapping[str, tuple[str, ...]]

    @property
    def answers(self) -> list[str]:
        """The answers, sorted; more than one contradict each other."""
        return sorted(self.checks)

    @property
    def contradictory(self) -> bool:
        """Whether the adapter chose otherwise from one time to another."""
        return len(self.checks) > 1


def answered(checks: Iterable[CheckRecord]) -> list[Answered]:
    """Gather what these checks observed, by the numbers of the questions."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for check in checks:
        for seen in check.observations:
            who = found.setdefault((seen.question, seen.subject), {}).setdefault(seen.answer, [])
            if check.id not in who:
                who.append(check.id)
    return [
        Answered(question, subject, {answer: tuple(who) for answer, who in found[question, subject].items()})
        for question, subject in sorted(found, key=by_number)
    ]


def contradictions(checks: Iterable[CheckRecord]) -> Iterator[str]:
    """Say in a sentence each where one question was answered in two ways, and which checks show it."""
    for one in answered(checks):
        if one.contradictory:
            answers = " and ".join(f"{answer} in {one.checks[answer][0]}" for answer in one.answers)
            yield f"{one.question} {one.subject}: {answers}"


def by_number(key: tuple[str, str]) -> tuple[int, str, str]:
    """Order questions by their numbers, Q9 before Q10."""
    digits = "".join(letter for letter in key[0] if letter.isdecimal())
    return int(digits or 0), *key
