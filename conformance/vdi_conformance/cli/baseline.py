"""`vdi-conformance baseline update`: the list of known failures, written from the evidence of a run."""

from pathlib import Path
from typing import Annotated, Final, get_args

import msgspec
import typer

from vdi_conformance.cli import values
from vdi_conformance.cli.output import distinct, written
from vdi_conformance.cli.refusal import UsageRefusal, refusing
from vdi_conformance.cli.verb import Verb
from vdi_conformance.evidence.files import Evidence, NotEvidence, read
from vdi_conformance.evidence.records import Culprit
from vdi_conformance.judgement.baseline import NotABaseline, load, render
from vdi_conformance.judgement.known_failures import Fresh, unlisted, updated
from vdi_conformance.untrusted import decoding
from vdi_conformance.untrusted.misfits import plainly
from vdi_conformance.untrusted.printable import shown

FRESH: Final = Fresh()
UNLISTED: Final = "errors, and what was not tested where nothing failed, keep the run at exit code 6"
baseline = typer.Typer(name="baseline", help="Keep the list of known failures.", rich_markup_mode=None)


@baseline.callback()
def group() -> None:
    """Keep the list of known failures: those that `run --baseline` shows without failing."""


@baseline.command(cls=Verb)
def update(
    evidence: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="What a whole run wrote.")],
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep what still applies of this one, and write it anew.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here; standard output without both.")
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="The reason of new entries.")] = FRESH.reason,
    issue: Annotated[str, typer.Option(metavar="TEXT", help="Where new entries are followed up.")] = FRESH.issue,
    fault: Annotated[
        str,
        typer.Option(
            metavar="WHO",
            parser=values.one_of("party", get_args(Culprit)),
            autocompletion=values.completing(lambda: get_args(Culprit)),
            help="Whose fault new entries are: implementation, adapter or platform.",
        ),
    ] = FRESH.fault,
) -> None:
    """Write the baseline with which this run would have been green, one entry a check.

    Entries that still apply stay as they are, requirement by requirement or check by check; others are dropped. What
    was not tested is listed where something failed, from which that may follow. Errors cannot be listed.
    """
    distinct([("--output", output), ("--baseline", baseline if output is None else None)], [("EVIDENCE", evidence)])
    run = _whole(evidence)
    text = _updated(run, baseline, output, _fresh(reason, issue, fault))
    if left := unlisted(run):
        first, *more = left
        others = f" and {len(more)} more" * bool(more)
        typer.echo(f"vdi-conformance: not listed: {shown(first.id)}{others}, {first.verdict}; {UNLISTED}.", err=True)
    target = output or baseline
    if target is None:
        typer.echo(text, nl=False)
        return
    written(target, text.encode("utf-8", "replace"))


def _updated(run: Evidence, baseline: Path | None, output: Path | None, fresh: Fresh) -> str:
    """Make the text; a baseline that is not there yet is an empty one, unless it was only to be read."""
    start = baseline is not None and output is None and not decoding.exists(baseline)
    with refusing(NotABaseline):
        entries = () if baseline is None or start else load(baseline)
        kept = updated(entries, run, fresh)
    return render(kept, run.header.client.name, {check.id: check.requirements for check in run.checks})


def _whole(path: Path) -> Evidence:
    with refusing(NotEvidence):
        run = read(path)
    if run.header.partial:
        selected = shown("; ".join(run.header.selection))
        raise UsageRefusal(f"{path} is of a selected run ({selected}): make a baseline from a run without selection.")
    if not run.checks:
        raise UsageRefusal(f"{path} is of a run that executed nothing: make a baseline from a whole run.")
    return run


def _fresh(reason: str, issue: str, fault: str) -> Fresh:
    try:
        return msgspec.convert({"reason": reason, "issue": issue, "fault": fault}, Fresh)
    except msgspec.ValidationError as error:
        remedy = "give a reason, an issue, and as fault implementation, adapter or platform"
        raise UsageRefusal(f"new entries cannot say so ({plainly(error)}): {remedy}.") from error
