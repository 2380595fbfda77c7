"""Everything that is made of evidence which could be read: reports, comparisons, programs, and runs without names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.console import Console

from fuzzing.mutation import linewise, of_json
from fuzzing.target import Target, alone
from fuzzing.targets.files import evidences
from selftest.evidence.samples import FOOTER, HEADER
from selftest.explanation.recorded import Recorded
from selftest.report.made import check
from vdi_conformance.cli.reproduce import _sql
from vdi_conformance.evidence.files import Evidence, NotEvidence, parse, written
from vdi_conformance.evidence.records import Unexpected
from vdi_conformance.evidence.redaction import Redactor, redacted
from vdi_conformance.host.codes import PROTOCOL_VERSION
from vdi_conformance.report import comparison_views, history_views
from vdi_conformance.report.comparison import NotComparable, compare
from vdi_conformance.report.formats import FORMATS
from vdi_conformance.report.history import history
from vdi_conformance.report.reproduction.planning import program_of
from vdi_conformance.report.reproduction.program import NotReproducible
from vdi_conformance.report.reproduction.source import LANGUAGES, source
from vdi_conformance.report.summary import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fuzzing.target import Read


def _runs() -> Sequence[bytes]:
    """Give runs, of which one has a check that failed after calls of every kind."""
    story = Recorded()
    story.set_to_work()
    story.map()
    story.store("primary", 0x10000, b"x" * 8)
    number = story.complete(0x80770002)
    failed = msgspec.structs.replace(
        check("gbh/failed", "failed", "VD_E_INVALID"),
        calls=story.calls,
        unexpected=Unexpected(call=number, judge="model", permitted=["NOERROR"]),
        conditions={"server": "scripted"},
        detail="two\nlines",
    )
    footer = msgspec.structs.replace(FOOTER, counts={"failed": 1}, exit_code=1)
    return [*evidences(), written(Evidence(HEADER, (failed,), footer))]


def _of_a_run(made: Callable[[Evidence], Any]) -> Read:
    """Make something of every run that can be read."""

    def read(data: bytes) -> bool:
        try:
            run = parse(data, "a.jsonl")
        except NotEvidence:
            return False
        made(run)
        return True

    return read


def _report(run: Evidence) -> None:
    for form in FORMATS.values():
        form(run)
    console = Console(file=None, quiet=True, width=100)
    for part in summary(run.header, run.checks, run.footer, listing=True):
        console.print(part)


def _compare(run: Evidence) -> None:
    other = parse(written(Evidence(HEADER, (check("gbh/failed"), check("a/b", "failed")), FOOTER)), "b.jsonl")
    try:
        for old, new in ((run, other), (other, run)):
            found = compare(old, new)
            for view in (comparison_views.as_json, comparison_views.as_text, comparison_views.as_markdown):
                view(found).encode()
        story = history([other, run])
        for view_of in (history_views.as_json, history_views.as_text, history_views.as_markdown):
            view_of(story).encode()
    except NotComparable:
        return


def _reproduce(run: Evidence) -> None:
    """Make programs; that in Python can be compiled, and so is no other text that a record put into it."""
    for one in run.checks:
        for language in LANGUAGES:
            try:
                text = source(program_of(one, run.header, _sql), language, str(PROTOCOL_VERSION))
            except NotReproducible:
                continue
            if language == "python":
                compile(text.encode("utf-8", "backslashreplace"), "made.py", "exec")


def _redact(run: Evidence) -> None:
    written(redacted(run, Redactor({"user": ["somebody"]})))


TARGETS: Final = (
    Target("reports", "reports of a run, whatever it says", _runs, linewise(of_json), alone(_of_a_run(_report))),
    Target("comparisons", "comparisons and histories of runs", _runs, linewise(of_json), alone(_of_a_run(_compare))),
    Target("programs", "programs that repeat a failure", _runs, linewise(of_json), alone(_of_a_run(_reproduce))),
    Target("redaction", "runs without names", _runs, linewise(of_json), alone(_of_a_run(_redact))),
)
