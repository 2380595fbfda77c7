"""What a library answers to every open question, as Markdown and JSON, what differs from another run, and what to send.

Pure: evidence goes in, texts come out. They are sorted and hold nothing of the run itself, so that two can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.evidence.records import VERDICTS
from vdi_conformance.report.causes import by_cause
from vdi_conformance.report.observations import answered
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import in_json, in_markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vdi_conformance.evidence.files import Evidence

FORMAT: Final = 1
FAILED: Final = ("failed", "warning", "error", "not tested")
UNSEEN: Final = "not seen"
Subject = tuple[str, str]


@dataclass(frozen=True)
class Seen:
    """Something that is tried to answer a question: what the documents permit there, and what was given."""

    question: str
    subject: str
    permitted: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def told(self) -> str:
        """The answers in words."""
        return " and ".join(self.answers) or UNSEEN


def fingerprint(run: Evidence) -> tuple[Seen, ...]:
    """Give every open question with all that is tried for it, by the numbers of the questions."""
    given = {(one.question, one.subject): tuple(one.answers) for one in answered(run.checks)}
    known = {
        (question.id, reading.subject): tuple(reading.permitted)
        for question in catalogue().questions.values()
        for reading in question.readings
    }
    asked = {(question.id, ""): () for question in catalogue().questions.values() if not question.readings}
    places: dict[Subject, tuple[str, ...]] = {**dict.fromkeys(given, ()), **asked, **known}
    order = {id_: number for number, id_ in enumerate(catalogue().questions)}
    return tuple(
        Seen(question, subject, permitted, given.get((question, subject), ()))
        for (question, subject), permitted in sorted(
            places.items(), key=lambda one: (order.get(one[0][0], len(order)), one[0])
        )
    )


def as_json(run: Evidence) -> str:
    """Give the fingerprint as JSON: sorted, without anything of the run itself."""
    questions: dict[str, list[dict[str, Any]]] = {}
    for one in fingerprint(run):
        tried = questions.setdefault(one.question, [])
        if one.subject:
            permitted = list(one.permitted) or None
            tried.append({"subject": one.subject, "permitted": permitted, "answers": list(one.answers)})
    told = [{"id": id_, "question": _text(id_), "tried": tried} for id_, tried in questions.items()]
    return in_json({"format": FORMAT, "library": _library(run), "server": _server(run), "questions": told}) + "\n"


def as_markdown(run: Evidence) -> str:
    """Give the fingerprint as a table for each question."""
    lines = [f"# What {in_markdown(_library(run))} answers to open questions", ""]
    lines += [f"Server: {in_markdown(_server(run))}", ""]
    last = ""
    for one in fingerprint(run):
        if one.question != last:
            lines += [*([""] if last else []), f"## {in_markdown(one.question)}", in_markdown(_text(one.question)), ""]
            lines += ["| tried | permitted | given |", "|---|---|---|"] if one.subject else ["No check sees an answer."]
            last = one.question
        if one.subject:
            permitted = " or ".join(one.permitted) or "whatever is seen"
            lines.append(_row(one.subject, permitted, one.told))
    return "\n".join(lines) + "\n"


def differences(run: Evidence, other: Evidence) -> Iterator[tuple[Seen, Seen]]:
    """Give what both runs have tried and answered in other ways, this run's first."""
    theirs: Mapping[Subject, Seen] = {(one.question, one.subject): one for one in fingerprint(other)}
    for one in fingerprint(run):
        another = theirs.get((one.question, one.subject))
        if another is not None and one.answers and another.answers and one.answers != another.answers:
            yield one, another


def pull_request(run: Evidence, emulator: Evidence | None) -> str:
    """Give the text of a pull request: what was run, how it ended, what failed, and how the answers differ."""
    header = run.header
    lines = [
        f"# {in_markdown(_library(run))} on {in_markdown(_server(run))}",
        "",
        f"- Suite: {in_markdown(header.suite_version)}, catalogue {header.catalogue_sha256[:16]}",
        f"- Selection: {in_markdown('; '.join(header.selection) or 'everything')}",
        f"- Platform: {in_markdown(header.platform)}, Python {in_markdown(header.python)}",
        *(f"- sha256 of the library: {in_markdown(digest)}" for digest in header.client.core.values()),
        f"- Exit code: {run.footer.exit_code}",
        "",
        "| verdict | checks |",
        "|---|---|",
        *(f"| {verdict} | {run.footer.counts.get(verdict, 0)} |" for verdict in VERDICTS),
        "",
        "## What did not pass",
        "",
        *(_failures(run) or ["Everything passed, or was not applicable."]),
        "",
        "## Answers that differ from those of the emulator",
        "",
        *_compared(run, emulator),
    ]
    return "\n".join(lines) + "\n"


def _failures(run: Evidence) -> list[str]:
    """Name each cause by its first sentence, with a check that shows it and how many ended so."""
    lines = []
    for alike in by_cause(check for check in run.checks if check.verdict in FAILED):
        check = alike.clearest
        sentence = check.cause.sentence.strip().partition("\n")[0] if check.cause else check.verdict
        more = f", and {len(alike.others)} more" if alike.others else ""
        broken = ", ".join(check.broken or check.requirements)
        lines.append(
            f"- {check.verdict}: {in_markdown(sentence)} ({in_markdown(broken)}; {in_markdown(check.id)}{more})"
        )
    return lines


def _compared(run: Evidence, emulator: Evidence | None) -> list[str]:
    if emulator is None:
        return ["No run of the emulator was at hand."]
    found = [*differences(run, emulator)]
    if not found:
        return ["None: whatever both were asked, they answer alike."]
    rows = [_row(one.question, one.subject, one.told, other.told) for one, other in found]
    return ["| question | tried | this library | the emulator |", "|---|---|---|---|", *rows]


def _row(*texts: str) -> str:
    return f"| {' | '.join(map(in_markdown, texts))} |"


def _library(run: Evidence) -> str:
    return f"{run.header.client.name} {run.header.client.version}".strip()


def _server(run: Evidence) -> str:
    server = run.header.server
    return server.server_version or f"{server.name} {server.version}".strip()


def _text(question: str) -> str:
    known = catalogue().questions.get(question)
    return known.text if known else ""
