"""`vdi-conformance prove`: the suite tried on what is known to be wrong, and on what is known to be right."""

import os
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from vdi_conformance.adapters import UnknownAdapter, resolve
from vdi_conformance.cli import values
from vdi_conformance.cli.output import distinct, look_here, read_by, writable, written
from vdi_conformance.cli.refusal import UsageRefusal, refusing
from vdi_conformance.evidence.files import NotEvidence, read
from vdi_conformance.evidence.proof import Ending, Proof
from vdi_conformance.judgement.exit_codes import ENDED
from vdi_conformance.proof.plan import FURTHER, ProofPlan, write
from vdi_conformance.requirements.profiles import Profile, profile
from vdi_conformance.untrusted.printable import shown_lines

if TYPE_CHECKING:
    from vdi_conformance.cli.proving import Watch
    from vdi_conformance.proof.control import Known
    from vdi_conformance.proof.discovery import Making

EXIT_CODES: Final[dict[Ending, int]] = {"proven": 0, "not proven": 1, "void": 6}
WORKERS: Final = 2
MOST_DRAWN: Final = 10_000
EMULATOR: Final = "emulator"
WHOLE: Final = "full"
"""The profile whose requirements must be verified where none is named."""


def prove(
    adapter: Annotated[
        str,
        typer.Option(
            metavar="REF",
            autocompletion=values.adapters,
            help="Put the faults around this adapter, named as for `run`.",
        ),
    ] = EMULATOR,
    profile_name: Annotated[
        str | None,
        typer.Option(
            "--profile", metavar="P", autocompletion=values.profile_names, help="Only what this profile asks for."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this fault, reading or trivial implementation; may be repeated."),
    ] = None,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Every two readings that go together, in place of all others.")
    ] = False,
    drawn: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=values.whole(0, MOST_DRAWN),
            help="So many implementations that draw among all readings, in place of all others.",
        ),
    ] = 0,
    further: Annotated[
        int,
        typer.Option(
            "--further",
            metavar="N",
            parser=values.whole(0, MOST_DRAWN),
            help="So many checks of other requirements on each fault, to see what it is charged with.",
        ),
    ] = FURTHER,
    endurance: Annotated[
        str | None,
        values.endurance("The faults that only the checks of endurance find, on these: small, medium or large."),
    ] = None,
    every_combination: Annotated[
        bool,
        typer.Option(
            "--every-combination",
            help="Try each combination of conditions with a statement too; made faults always meet them all.",
        ),
    ] = False,
    made: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=values.whole(0, MOST_DRAWN),
            help="So many faults that are made: a rule broken under one condition or two, drawn by --seed.",
        ),
    ] = 0,
    seed: Annotated[
        int, typer.Option(metavar="S", parser=values.whole(0, MOST_DRAWN), help="What made faults are drawn by.")
    ] = 0,
    least: Annotated[
        int,
        typer.Option(
            metavar="P",
            parser=values.whole(0, 100),
            help="So many in a hundred made faults must be found.",
        ),
    ] = 0,
    control: Annotated[
        Path | None,
        typer.Option(
            metavar="EVIDENCE",
            help="The record of a whole run of the adapter here, in place of running it once more without any fault.",
        ),
    ] = None,
    with_written: Annotated[
        bool,
        typer.Option("--written/--no-written", help="Also the faults that somebody wrote, or the made ones alone."),
    ] = True,
    workers: Annotated[
        str | None,
        typer.Option(
            "-n",
            metavar="N",
            parser=values.workers,
            help="So many worker processes; otherwise two a processor, since much is waited for.",
        ),
    ] = None,
    timeout_scale: Annotated[float, values.timeout_scale()] = 1,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Write the whole proof here (JSON).")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", callback=writable, help="Write the matrix here, as a web page.")
    ] = None,
) -> int:
    """Show that the suite finds what is wrong, and nothing else.

    Each fault must be found by a check of the requirement that it breaks, and a permitted reading must be accused of
    nothing. The exit code is 0 where that is so for every requirement that must hold, 1 where it is not, 6 where the
    proof is void since the adapter fails without any fault or a canary is not found; 2, 3, 4 as for `run`.
    """
    # Here, so that the help is there at once.
    from vdi_conformance.cli.proving import Watch
    from vdi_conformance.proof.discovery import Making, after_survey, survey_of
    from vdi_conformance.proof.making import without_survey
    from vdi_conformance.proof.whole import Made, proof_of

    distinct([("--json", json), ("--html", html)], [("--control", control), *read_by(adapter)])
    asked = _asked(profile_name)
    whole = profile_name is None
    if pairs or drawn:
        planned = _together(adapter, asked, pairs, drawn, alone=not (only or endurance or made) and whole)
    else:
        making = Making(made, seed, least, with_written)
        planned = _planned(adapter, asked, only or [], whole, further, making, endurance)
    every = every_combination or bool(made)
    known = _known(control, planned, alone=whole and not (pairs or drawn or endurance or every))
    planned = planned if known is None else known.left
    options = ["--vdi-adapter", adapter, f"--vdi-timeout-scale={timeout_scale}"]
    options += ["-n", workers or str(WORKERS * (os.cpu_count() or 1))]
    # What a condition has to do with a statement is what some made faults are about.
    options += ["--vdi-every-combination"] if every else []
    options += [f"--vdi-endurance={endurance}"] if endurance is not None else []
    options += [f"--vdi-profile={asked.label}"] if not whole else []
    started, began = datetime.now(UTC), time.monotonic()
    survey = Watch(survey_of(planned, None if adapter == EMULATOR else resolve(adapter).target))
    status, told = _make(survey, options) if survey.plan.trials else (0, "")
    watch = Watch(after_survey(planned, survey.results))
    if status in ENDED:
        status, told = _make(watch, options)
    if status not in ENDED:
        typer.echo(shown_lines(told), err=True)
        return status
    if known is not None and known.adapter != watch.client:
        raise UsageRefusal(f"{control} is of another version of the adapter: make a whole run of this one.")
    before = (*map(without_survey, survey.results), *(() if known is None else known.results))
    results = (*before, *watch.results)
    trials = Made(started.isoformat(timespec="seconds"), time.monotonic() - began, results)
    both = msgspec.structs.replace(watch.plan, trials=(*(one.trial for one in before), *watch.plan.trials))
    proof = proof_of(both, asked, watch.client, trials)
    _tell(proof, json, html)
    return EXIT_CODES[proof.ending]


def _tell(proof: Proof, json: Path | None, html: Path | None) -> None:
    from vdi_conformance.report.proof_page import page
    from vdi_conformance.report.proof_summary import summary

    if json is not None:
        written(json, msgspec.json.format(msgspec.json.encode(proof)))
    if html is not None:
        written(html, page(proof).encode("utf-8"))
    for line in summary(proof):
        typer.echo(line)


def _asked(profile_name: str | None) -> Profile:
    with refusing(ValueError):
        return profile(profile_name or WHOLE)


def _planned(
    adapter: str,
    asked: Profile,
    only: Sequence[str],
    whole: bool,
    further: int,
    making: "Making",
    endurance: str | None,
) -> ProofPlan:
    from vdi_conformance.proof.discovery import UnknownTrial, plan

    look_here()
    with refusing(UnknownTrial, UnknownAdapter):
        spec = resolve(adapter)
        if not spec.target:
            raise UsageRefusal(f"{adapter} is a host program, which no fault can be put around: name a Python class.")
        # Faults find what they go around by its class: what the reference names besides must be found too.
        os.environ.update(spec.env)
        around = None if adapter == EMULATOR else spec.target
        return plan(asked, adapter, around, only, whole, further, making, endurance)


def _known(evidence: Path | None, planned: ProofPlan, alone: bool) -> "Known | None":
    """Read what came of the adapter without a fault; `alone` says whether nothing was asked for that it lacks."""
    from vdi_conformance.proof.control import NoControl, known_by

    if evidence is None:
        return None
    if not alone:
        raise UsageRefusal(
            "--control goes with none of --pairs, --drawn, --made, --endurance, --every-combination, --profile: leave "
            "it out, and the adapter is tried without a fault as well."
        )
    with refusing(NotEvidence, NoControl):
        return known_by(read(evidence), planned)


def _together(adapter: str, asked: Profile, pairs: bool, drawn: int, alone: bool) -> ProofPlan:
    from vdi_conformance.proof.discovery import plan_of_fairness

    if adapter != EMULATOR or not alone:
        raise UsageRefusal(
            "--pairs and --drawn are about the emulator, and go with none of --adapter, --profile, --only, --made, "
            "--endurance."
        )
    return plan_of_fairness(asked, pairs, drawn)


def _make(watch: "Watch", options: Sequence[str]) -> tuple[int, str]:
    """Make the trials, and give pytest's exit code and what it told."""
    import pytest

    from vdi_conformance.pytest_plugin.collected import FOREIGN, ISOLATING, PACKAGE

    for variable in FOREIGN:
        os.environ.pop(variable, None)
    told = StringIO()
    spread = ("--dist", "load", "--maxschedchunk", "1", "-p", "no:allure_pytest")
    with TemporaryDirectory() as directory, watch.shown(), redirect_stdout(told), redirect_stderr(told):
        file = Path(directory) / "plan.json"
        write(watch.plan, file)
        suite = str(PACKAGE / "suite")
        status = pytest.main([*ISOLATING, f"--vdi-proof={file}", *options, *spread, suite], plugins=[watch])
    return int(status), told.getvalue()
