"""A run in Markdown, for the summary of a job or a comment: the outcome, and its causes, folded; pure."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import VERDICTS, CheckRecord
from vdi_conformance.report.calls import call_lines, mark_of_check
from vdi_conformance.report.lanes import lanes_mermaid
from vdi_conformance.report.run_report import CauseReport, RunReport, run_report
from vdi_conformance.requirements import catalogue
from vdi_conformance.untrusted.printable import code_in_markdown, fence_around, in_markdown, shown, shown_lines

WHOLE: Final = 60_000
"""So many characters has all of it at the most: GitHub takes no longer comments than 65,536."""
MARGIN: Final = 1000
"""So many of them are for what stands between the parts."""
SENTENCE: Final = 2000
TEXT: Final = 4000
CALLS: Final = 12
"""So many calls, the last ones, are told of a check."""
PICTURED: Final = 3
PICTURE: Final = 8000
"""So many causes have a picture, of so many characters at the most."""
NAMED: Final = 50
"""So many checks of a cause are named."""
_SIGNS: Final = {
    "conformant": "✅",
    "not conformant": "❌",
    "baseline out of date": "❌",
    "incomplete": "⚠️",
    "nothing executed": "⚠️",
}


def run_markdown(evidence: Evidence) -> str:
    """Give all of it; causes that there is no room for are counted at the end."""
    report = run_report(evidence)
    by_id = {check.id: check for check in evidence.checks}
    head, tail = list(_head(report)), list(_tail(report))
    causes = [_cause(cause, by_id[cause.check]) for cause in report.causes]
    told = list(_that_fit(causes, WHOLE - sum(map(len, [*head, *tail])) - MARGIN))
    left = len(causes) - len(told)
    further = (
        [f"There is no room for {left} more: `vdi-conformance report html EVIDENCE` shows all causes."] if left else []
    )
    return "\n\n".join([*head, *told, *further, *tail]) + "\n"


def _that_fit(parts: Sequence[str], room: int) -> Iterator[str]:
    for part in parts:
        room -= len(part) + 2
        if room < 0:
            return
        yield part


def _head(report: RunReport) -> Iterator[str]:
    who = in_markdown(f"{report.client.name} {report.client.version}")
    yield f"## {_SIGNS[report.outcome]} {who}: {report.outcome}"
    counts = ", ".join(f"{report.counts[verdict]} {verdict}" for verdict in VERDICTS if report.counts.get(verdict))
    ended = f"{sum(report.counts.values())} checks, {counts or 'nothing executed'}"
    yield f"By {in_markdown(report.scope)}: {ended}. Exit code {report.exit_code}."
    if report.reasons:
        yield "\n".join(f"- {in_markdown(reason, SENTENCE)}" for reason in report.reasons)


def _cause(cause: CauseReport, check: CheckRecord) -> str:
    """Tell one cause under a line that can be opened; what is in that line is HTML."""
    many = len(cause.checks)
    ended = f"{many} checks" if many > 1 else "1 check"
    ids = ", ".join(map(_coded, cause.requirements))
    about = f" ({ids})" if ids else ""
    lines = [f"<details><summary><b>{cause.verdict}</b>: {_coded(cause.sentence)}{about}, {ended}</summary>", ""]
    for id_ in cause.requirements:
        if requirement := catalogue().get(id_):
            lines += [f"**{id_} {requirement.level}**: {in_markdown(requirement.statement)}", ""]
    lines += [f"{code_in_markdown(check.id)} {in_markdown(check.about)}".rstrip(), ""]
    if cause.number <= PICTURED and 0 < len(picture := lanes_mermaid(check)) <= PICTURE:
        lines += [_fenced(picture, "mermaid", PICTURE), ""]
    if mark := mark_of_check(check):
        lines += [f"**{in_markdown(mark)}**", ""]
    if cause.where:
        lines += [f"All of them, and no other, **where {in_markdown(cause.where)}**.", ""]
    told = [check.cause.sentence.strip()] if check.cause else []
    told += [check.detail.strip()] if check.detail.strip() else []
    told += ["\n".join(call_lines(check.calls[-CALLS:], check.unexpected))] if check.calls else []
    lines += [_fenced("\n".join(told)), ""] if told else []
    if cause.again:
        lines += ["Again:", "", _fenced(cause.again), ""]
    if many > 1:
        more = f"\n- and {many - NAMED} more" if many > NAMED else ""
        named = "\n".join(f"- {code_in_markdown(id_)}" for id_ in cause.checks[:NAMED])
        lines += ["<details><summary>the checks</summary>", "", f"{named}{more}", "", "</details>", ""]
    return "\n".join([*lines, "</details>"])


def _tail(report: RunReport) -> Iterator[str]:
    if report.prospects:
        yield "| profile | requirements scored | in the way of a certificate |\n|---|---|---|\n" + "\n".join(
            f"| {one.profile} | {one.scored} | "
            + (
                ", ".join(f"{len(ids)} {verdict}" for verdict, ids in one.in_the_way.items())
                or "nothing that this run shows"
            )
            + " |"
            for one in report.prospects
        )
    yield ", ".join(map(in_markdown, (f"vdi-conformance {report.suite_version}", report.platform, report.started)))


def _coded(text: str) -> str:
    """Give a text inside a line of HTML: as code, so that it is neither markup nor a mention of anybody."""
    return f"<code>{escape(shown(text, SENTENCE))}</code>"


def _fenced(text: str, language: str = "text", limit: int = TEXT) -> str:
    told = shown_lines(text.strip("\n"), limit)
    fence = fence_around(told, 3)
    return f"{fence}{language}\n{told}\n{fence}"
