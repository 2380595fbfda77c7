"""The summary of a run on a terminal: by topic and requirement, then what did not pass, the worst of it first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vdi_conformance.counting import counted
from vdi_conformance.evidence.records import NOT_TESTED, VERDICTS, Call, CheckRecord, Footer, Header, Verdict
from vdi_conformance.judgement.charges import concerned
from vdi_conformance.report.calls import call_lines
from vdi_conformance.report.causes import Alike, by_cause
from vdi_conformance.report.common_conditions import where
from vdi_conformance.report.crash_points import account as account_of_crash_points
from vdi_conformance.report.observations import answered, contradictions
from vdi_conformance.report.walks import account
from vdi_conformance.report.wording import (
    group_of,
    known_line,
    rerun,
    topic,
    topics,
    untested_lines,
)
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import shown, shown_lines

STYLES: Final[dict[Verdict, str]] = {
    "passed": "green",
    "failed": "bold red",
    "warning": "yellow",
    "known failure": "cyan",
    "not applicable": "dim",
    "not tested": "magenta",
    "error": "bold magenta",
}
CALLS: Final = 4
LINES: Final = 2
PICTURE: Final = 8
"""So many calls, lines of a text and lines of a picture are told of a check at the most: the evidence has more."""
DRAWN: Final = "|"
"""With that a line begins that is part of a picture."""
WHOLE: Final = 10_000
"""So many characters has a line that must not be broken at the most."""
_UNEXPECTED: Final[tuple[Verdict, ...]] = ("failed", "error", "not tested", "warning")
"""What did not pass, the worst first: what is only recommended never stands before what must be."""


def summary(
    header: Header, checks: Sequence[CheckRecord], footer: Footer, *, listing: bool = False
) -> list[RenderableType]:
    """Lay out a whole run, part by part; a Text with `no_wrap` is a line that must not be broken.

    Each cause is told once, by one check; with `listing` the others are named, else they are counted.
    """
    unexpected = [one for verdict in _UNEXPECTED for one in checks if one.verdict == verdict]
    parts: list[RenderableType] = [*_observed(checks), _by_topic(checks), *_known(checks)]
    if broken := _by_requirement(unexpected):
        parts += [Text(), broken]
    for alike in by_cause(unexpected):
        found = where([alike.clearest, *alike.others], checks)
        parts += [Text(), *_ending(header, alike, found, listing)]
    if walks := account(checks):
        parts += [Text(), Text(walks)]
    if crashes := account_of_crash_points(checks):
        parts += [Text(), Text(shown(crashes, WHOLE))]
    contradicted = list(contradictions(checks))
    parts += [_whole(f"TWO ANSWERS  {one}", STYLES["warning"]) for one in contradicted]
    untested = [_whole(one, STYLES["not tested"]) for one in untested_lines(header, checks)]
    complaints = [_whole(f"BASELINE  {one}", STYLES["failed"]) for one in footer.complaints]
    return [*parts, Text(), _conclusion(header, checks, footer), *untested, *complaints]


def _observed(checks: Sequence[CheckRecord]) -> Iterator[RenderableType]:
    """Tell which of the permitted choices this adapter takes: the answers to each question, and how often each came."""
    told: dict[str, Counter[str]] = {}
    for one in answered(checks):
        told.setdefault(one.question, Counter()).update(one.answers)
    if not told:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("question", "about", "what this adapter does (how often)"):
        table.add_column(title)
    for id_, answers in told.items():
        question, requirement = catalogue().questions.get(id_), catalogue().get(id_)
        about = question.text if question else requirement.statement if requirement else ""
        given = ", ".join(f"{answer} ({count})" for answer, count in answers.most_common())
        table.add_row(Text(shown(id_)), Text(about), Text(shown(given)))
    yield table
    yield Text()


def _by_topic(checks: Sequence[CheckRecord]) -> Table:
    """Count each check once, under its own topic, and each requirement that is judged under its."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("topic")
    told = [verdict for verdict in VERDICTS if any(check.verdict == verdict for check in checks)]
    for title in ("requirements", "checks", *told):
        table.add_column(title, justify="right")
    requirements = Counter(
        requirement.partition("-")[0]
        for requirement in {requirement for check in checks for requirement in check.requirements}
    )
    filed = Counter(map(group_of, checks))
    ended = Counter((group_of(check), check.verdict) for check in checks)
    others = sorted((filed.keys() | requirements.keys()) - topics().keys(), reverse=True)
    for group in (*topics(), *others):
        if filed[group] or requirements[group]:
            cells = [Text(_counted(ended[group, verdict]), style=STYLES[verdict]) for verdict in told]
            counts = (_counted(requirements[group]), _counted(filed[group]))
            table.add_row(Text(shown(topic(group))), *counts, *cells)
    return table


def _counted(number: int) -> str:
    return str(number or "-")


def _known(checks: Iterable[CheckRecord]) -> Iterator[Text]:
    """List what the baseline covers, entry by entry, those together of which it says the same."""
    told: dict[str, Counter[str]] = {}
    for check in checks:
        if check.known and check.cause:
            told.setdefault(known_line(check.known), Counter())[shown(f"{check.known.entry}, {check.cause.name}")] += 1
    for about, entries in told.items():
        yield Text()
        yield _whole(about, STYLES["known failure"])
        for entry, count in entries.items():
            yield _whole(f"  {entry}: {count} checks" if count > 1 else f"  {entry}")


def _by_requirement(unexpected: Iterable[CheckRecord]) -> Table | None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("requirement", "level", "ended", "checks"):
        table.add_column(title, justify="right" if title == "checks" else "left")
    found = Counter((requirement, check.verdict) for check in unexpected for requirement in concerned(check))
    for (id_, verdict), count in sorted(found.items(), key=lambda one: (_UNEXPECTED.index(one[0][1]), one[0][0])):
        requirement = catalogue().get(id_)
        level = requirement.level if requirement else ""
        table.add_row(Text(shown(id_)), level, Text(verdict, style=STYLES[verdict]), str(count))
    return table if found else None


def _ending(header: Header, alike: Alike, found: str, listing: bool) -> Iterator[RenderableType]:
    check = alike.clearest
    style = STYLES[check.verdict]
    yield Text.assemble((check.verdict.upper(), style), "  ", (shown_lines(alike.sentence), style))
    for id_ in concerned(check):
        if requirement := catalogue().get(id_):
            yield _indented(Text.assemble((f"{id_} {requirement.level}: ", "cyan"), requirement.statement))
    yield _whole(f"  {check.id}", "bold")
    if check.about:
        yield _indented(Text(shown_lines(check.about), style="italic"))
    if check.cause:
        yield _indented(Text(shown_lines(_beginning(check.cause.sentence))))
        yield from (_whole(f"  {line}") for line in _picture(check.cause.sentence))
    yield from _places(found, check.machine)
    if check.detail:
        yield _indented(Text(shown_lines(check.detail), style="dim"))
    yield from (_whole(line) for line in call_lines(_last_calls(check), check.unexpected))
    if check.requirements:
        yield _whole(f"  again: {rerun(header, check)}", "dim")
    if alike.others and listing:
        yield _indented(Text(f"{len(alike.others)} more:"))
        yield from (_whole(f"  {other.id}") for other in alike.others)
    elif alike.others:
        counts = Counter(map(group_of, alike.others))
        topics = ", ".join(f"{shown(group) or 'others'} {count}" for group, count in counts.most_common())
        yield _indented(Text(f"{counted(len(alike.others), 'more check')} ended so ({topics}); -v lists them"))


def _places(conditions: str, machine: str) -> Iterator[RenderableType]:
    """Say under which conditions a check failed, and on which of the machines of the run."""
    for word, place in (("fails where", conditions), ("ran on", machine)):
        if place:
            yield _indented(Text(f"{word} {shown(place)}", style="bold"))


def _last_calls(check: CheckRecord) -> Sequence[Call]:
    """Give the last calls up to the one that should have been answered otherwise."""
    about = check.unexpected.call if check.unexpected else None
    led = [call for call in check.calls if about is None or call.number <= about]
    return led[-CALLS:]


def _beginning(text: str) -> str:
    """Give the first lines; the evidence has them all."""
    lines = [line for line in text.strip().splitlines() if not line.startswith(DRAWN)]
    more = len(lines) - LINES
    return "\n".join([*lines[:LINES], *([f"({more} more lines in the evidence)"] if more > 0 else [])])


def _picture(text: str) -> list[str]:
    """Give the lines that draw something: each is shown whole, or no bar would lie below another."""
    return [line for line in text.splitlines() if line.startswith(DRAWN)][:PICTURE]


def _indented(text: Text) -> RenderableType:
    return Padding(text, (0, 0, 0, 2))


def _whole(text: str, style: str = "") -> Text:
    return Text(shown(text, WHOLE), style=style, no_wrap=True)


def _conclusion(header: Header, checks: Sequence[CheckRecord], footer: Footer) -> Text:
    requirements = {requirement for check in checks for requirement in check.requirements}
    failed = {requirement for check in checks if check.verdict == "failed" for requirement in concerned(check)}
    listed = [check for check in checks if check.verdict == "known failure"]
    known = {
        requirement
        for check in listed
        if check.cause and check.cause.kind != NOT_TESTED
        for requirement in concerned(check)
    } - failed
    found = answered(checks)
    seen = {one.question for one in found} & catalogue().questions.keys()
    twice = len({one.question for one in found if one.contradictory})
    in_two_ways = f", {twice} of them answered in two ways" if twice else ""
    ends = ", ".join(f"{footer.counts[verdict]} {verdict}" for verdict in VERDICTS if footer.counts.get(verdict))
    also = f" and {len(known)} known to be" if known else ""
    partial = f" Selected run ({shown('; '.join(header.selection))})." if header.partial else ""
    return Text.assemble(
        (shown(f"{header.client.name} {header.client.version}"), "bold"),
        f" against the server role of {shown(header.server.name)}: "
        f"{counted(len(checks), 'check')} of {counted(len(requirements), 'requirement')}, "
        f"{ends or 'nothing executed'}; {counted(len(failed), 'requirement')} broken{also}, "
        f"{counted(len(seen), 'open question')} observed{in_two_ways}. "
        f"Exit code {footer.exit_code}.{partial}",
    )
