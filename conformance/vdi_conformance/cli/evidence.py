"""`vdi-conformance evidence merge`: one record of a run from those of its shards."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdi_conformance import __version__
from vdi_conformance.cli.checks import checks
from vdi_conformance.cli.output import distinct, show, writable
from vdi_conformance.cli.output import written as write
from vdi_conformance.cli.refusal import UsageRefusal, refusing
from vdi_conformance.cli.verb import Verb
from vdi_conformance.evidence.files import Evidence, NotEvidence, read, written
from vdi_conformance.evidence.merging import Merged, Named, NotMergeable, merged
from vdi_conformance.evidence.records import Header, ProfileVersion
from vdi_conformance.judgement.baseline import Entry, NotABaseline, digest, load
from vdi_conformance.judgement.footers import footer, left_out, requirement_verdicts
from vdi_conformance.judgement.known_failures import complaints
from vdi_conformance.judgement.scoring import profile_of

if TYPE_CHECKING:
    from vdi_conformance.requirements.profiles import Profile

evidence = typer.Typer(name="evidence", help="Work with the records of runs.", rich_markup_mode=None)


@evidence.callback()
def group() -> None:
    """Work with the records of runs."""


@evidence.command(cls=Verb)
def merge(
    shards: Annotated[
        list[Path],
        typer.Argument(metavar="SHARD...", help="The evidence of every shard, or directories that hold it (*.jsonl)."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", callback=writable, help="Write the whole run here.")
    ],
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The known failures that the shards were run with.")
    ] = None,
) -> int:
    """Put the shards of a run together, and judge the whole.

    What comes out is what one run would have written. Duplicate, missing and foreign shards are refused, and so is a
    shard that left checks out. The exit code is that of the whole run, or 4 where there is none.
    """
    files = list(_files(shards))
    distinct([("--output", output)], [("--baseline", baseline), *((str(file), file) for file in files)])
    with refusing(NotEvidence, NotMergeable, NotABaseline):
        found = merged(Named(str(file), read(file)) for file in files)
        entries = _entries(baseline, found.header)
    run, profile = _judged(found, entries)
    _tell(run, profile)
    write(output, written(run))
    return run.footer.exit_code


def _files(given: Iterable[Path]) -> Iterator[Path]:
    for path in given:
        # No text is an error to it, however long.
        if os.path.isdir(path):  # noqa: PTH112
            yield from sorted(path.rglob("*.jsonl"))
        else:
            yield path


def _entries(baseline: Path | None, header: Header) -> tuple[Entry, ...]:
    """Read the known failures, which must be those that the shards were run with."""
    entries = load(baseline) if baseline is not None else ()
    if (digest(entries) if entries else None) == header.baseline_sha256:
        return entries
    if baseline is None:
        raise NotABaseline("the shards were run with a baseline: name it by --baseline")
    raise NotABaseline(
        f"{baseline} is not the baseline that the shards were run with: name that one, or run them again"
    )


def _judged(found: Merged, entries: tuple[Entry, ...]) -> tuple[Evidence, "Profile | None"]:
    """Make the last line of a run, as the run itself would have done."""
    header, executed = found.header, found.checks
    if header.suite_version != __version__:
        raise UsageRefusal(
            f"the shards are of version {header.suite_version} of the suite, this is {__version__}: merge them by that."
        )
    profile = None if header.profile is None else _profile(header.profile)
    narrowed = left_out(header, {one.id for one in executed}, checks, profile)
    day = datetime.fromisoformat(header.started).astimezone(UTC).date()
    last = footer(
        header,
        executed,
        profile,
        complaints(entries, day, header, executed),
        duration=found.duration,
        narrowed=narrowed,
    )
    return Evidence(header, executed, last), profile


def _profile(asked: ProfileVersion) -> "Profile":
    if (found := profile_of(asked)) is None:
        raise UsageRefusal(
            f"the profile {asked.label} of the shards is not the one of this version: merge them by theirs."
        )
    return found


def _tell(run: Evidence, profile: "Profile | None") -> None:
    """Show what a run shows at its end."""
    # Here, so that the help is there at once.
    from rich.text import Text

    from vdi_conformance.report.profile_summary import profile_lines
    from vdi_conformance.report.summary import summary

    show(summary(run.header, run.checks, run.footer))
    if profile is not None:
        show(map(Text, profile_lines(profile, requirement_verdicts(run.header, run.checks, profile))))
