"""The summary of a run on a terminal: by topic and requirement, unexpected ends last."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from shlex import quote
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vdi_conformance.evidence.records import VERDICTS, Call, CheckRecord, Footer, Header, Verdict
from vdi_conformance.requirements import catalogue
from vdi_conformance.vdi import completion, hresult

STYLES: Final[dict[Verdict, str]] = {
    "passed": "green",
    "failed": "bold red",
    "warning": "yellow",
    "not applicable": "dim",
    "not tested": "magenta",
    "error": "bold magenta",
}
_UNTOLD: Final = frozenset({"thread", "null_out"})
_UNEXPECTED: Final = ("warning", "not tested", "error", "failed")


def summary(header: Header, checks: Sequence[CheckRecord], footer: Footer) -> RenderableType:
    """Lay out a whole run."""
    unexpected = [one for verdict in _UNEXPECTED for one in checks if one.verdict == verdict]
    parts: list[RenderableType] = [_by_topic(checks)]
    if broken := _by_requirement(unexpected):
        parts += [Text(), broken]
    for alike in _alike(unexpected):
        parts += [Text(), _ending(header, alike)]
    return Group(*parts, Text(), _conclusion(header, checks, footer))


def _by_topic(checks: Sequence[CheckRecord]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("topic")
    shown = [verdict for verdict in VERDICTS if any(check.verdict == verdict for check in checks)]
    for title in ("requirements", "checks", *shown):
        table.add_column(title, justify="right")
    for group, title in _topics():
        of_group = [check for check in checks if any(row.startswith(f"{group}-") for row in check.rows)]
        if not of_group:
            continue
        rows = {row for check in of_group for row in check.rows if row.startswith(f"{group}-")}
        counts = Counter(check.verdict for check in of_group)
        cells = [Text(str(counts[verdict] or "-"), style=STYLES[verdict]) for verdict in shown]
        table.add_row(f"{group} {title}", str(len(rows)), str(len(of_group)), *cells)
    return table


def _topics() -> Iterator[tuple[str, str]]:
    rows = catalogue().rows
    for group in catalogue().topics:
        yield group, next(row.topic for row in rows if row.group == group)


def _by_requirement(unexpected: Iterable[CheckRecord]) -> Table | None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("requirement", "level", "ended", "checks"):
        table.add_column(title, justify="right" if title == "checks" else "left")
    found = Counter((row, check.verdict) for check in unexpected for row in check.rows)
    for (id_, verdict), count in sorted(found.items()):
        row = catalogue().get(id_)
        table.add_row(id_, row.level if row else "", Text(verdict, style=STYLES[verdict]), str(count))
    return table if found else None


def _alike(unexpected: Sequence[CheckRecord]) -> list[list[CheckRecord]]:
    """Put checks together that ended for the same reason: only the first of them is told in full."""
    groups: dict[tuple[str, str], list[CheckRecord]] = {}
    for check in unexpected:
        groups.setdefault((check.verdict, check.cause.sentence if check.cause else ""), []).append(check)
    return list(groups.values())


def _ending(header: Header, alike: Sequence[CheckRecord]) -> RenderableType:
    check, *others = alike
    title = Text.assemble((check.verdict.upper(), STYLES[check.verdict]), "  ", (check.id, "bold"))
    lines: list[RenderableType] = []
    for id_ in check.rows:
        if row := catalogue().get(id_):
            lines.append(Text.assemble((f"{id_} {row.level}: ", "cyan"), row.statement))
    if check.cause:
        lines.append(Text(check.cause.sentence, style=STYLES[check.verdict]))
        if check.cause.observed:
            lines.append(Text(f"expected {' or '.join(check.cause.expected)}, observed {check.cause.observed}"))
    if check.detail:
        lines.append(Text(check.detail, style="dim"))
    if check.calls:
        lines += [Text("last calls of every process:"), _calls(check.calls)]
    if check.rows:
        lines.append(Text(f"again: {rerun(header, check)}", style="dim"))
    if others:
        lines.append(Text(f"so did {', '.join(other.id for other in others)}"))
    return Group(title, Padding(Group(*lines), (0, 0, 0, 2)))


def _calls(calls: Iterable[Call]) -> RenderableType:
    """One line a call, cut to the width of the screen; the evidence has them whole."""
    lines = []
    for call in calls:
        params = ", ".join(
            f"{key}={_shown(key, value)}"
            for key, value in call.params.items()
            if key not in _UNTOLD and value is not None
        )
        text = f"{call.number:>5} {call.process:<12} {call.method}({params}) -> {_answer(call)}"
        lines.append(Text(text, no_wrap=True, overflow="ellipsis"))
    return Group(*lines)


def _answer(call: Call) -> str:
    match call.answer:
        case None:
            return "no answer"
        case str(sentence):
            return sentence.partition("\n")[0]
        case answer:
            return ", ".join(f"{key}={_shown(key, value)}" for key, value in answer.items()) or "done"


def _shown(key: str, value: object) -> str:
    if key == "code" and isinstance(value, int) and (value == 0 or value & 0x80000000):
        return hresult.name_of(value)
    if key == "completion_code" and isinstance(value, int):
        return completion.name_of(value)
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def rerun(header: Header, check: CheckRecord) -> str:
    """Give the command that runs one check again as it was run."""
    parts = ["vdi-conformance", "run", "--adapter", header.client.reference]
    if header.server.reference not in (header.client.reference, "emulator"):
        parts += ["--server", header.server.reference]
    if header.seed:
        parts += ["--seed", str(header.seed)]
    if header.timeout_scale != 1:
        parts += ["--timeout-scale", f"{header.timeout_scale:g}"]
    return " ".join(quote(part) for part in [*parts, "--check", check.id])


def _conclusion(header: Header, checks: Sequence[CheckRecord], footer: Footer) -> Text:
    rows = {row for check in checks for row in check.rows}
    failed = {row for check in checks if check.verdict == "failed" for row in check.rows}
    questions = {seen.question for check in checks for seen in check.observations}
    ends = ", ".join(f"{footer.counts[verdict]} {verdict}" for verdict in VERDICTS if footer.counts.get(verdict))
    partial = f" Selected run ({'; '.join(header.selection)})." if header.partial else ""
    return Text.assemble(
        (f"{header.client.name} {header.client.version}", "bold"),
        f" against the server role of {header.server.name}: {len(checks)} checks of {len(rows)} requirements, "
        f"{ends or 'nothing executed'}; {len(failed)} requirements broken, {len(questions)} open questions observed. "
        f"Exit code {footer.exit_code}.{partial}",
    )
