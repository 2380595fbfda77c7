"""What a whole run of the adapter says in place of the trials in which nothing is wrong."""

import platform
from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from vdi_conformance import __version__
from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.proof import TrialResult, Tried
from vdi_conformance.evidence.records import CheckRecord, Header, Party
from vdi_conformance.proof.plan import ProofPlan
from vdi_conformance.proof.schedule import of_a_control
from vdi_conformance.requirements import digest
from vdi_conformance.untrusted.printable import shown

CONTROL: Final = "control"


class NoControl(ValueError):
    """A run that cannot stand for the adapter without a fault; the sentence says why."""


class Known(NamedTuple):
    """What is known from a run: which adapter it was, as it says of itself, what came of it, and what is left."""

    adapter: Party
    results: tuple[TrialResult, ...]
    left: ProofPlan


def known_by(run: Evidence, plan: ProofPlan) -> Known:
    """Take from a run what came of the control trials of a plan, or raise NoControl."""
    controls = [trial for trial in plan.trials if trial.kind == CONTROL]
    for wrong in _wrong(run.header, controls[0].reference):
        raise NoControl(f"the run cannot stand for the adapter without a fault, since {wrong}: make a whole run here")
    checks = {check.id: check for check in run.checks}
    judged = {check.id: tuple(check.requirements) for check in run.checks if check.requirements}
    results = tuple(
        TrialResult(trial=trial, tried=tuple(_tried(checks[id_]) for id_ in of_a_control(trial, judged)))
        for trial in controls
    )
    left = replace(plan, trials=tuple(trial for trial in plan.trials if trial.kind != CONTROL))
    return Known(run.header.client, results, left)


def _wrong(header: Header, reference: str) -> Iterator[str]:
    if header.client.reference != reference:
        yield f"it is of {shown(header.client.reference)}, not of {reference}"
    if header.server.reference != reference:
        yield f"its server was {shown(header.server.reference)}"
    if header.partial:
        yield "it is a selected run"
    if (header.suite_version, header.catalogue_sha256) != (__version__, digest()):
        yield "it is of another version of the suite or of its catalogue"
    if (header.platform, header.python) != (platform.platform(), platform.python_version()):
        yield "it was made on another platform"


def _tried(check: CheckRecord) -> Tried:
    return Tried(
        check=check.id,
        requirements=tuple(check.requirements),
        verdict=check.verdict,
        broken=tuple(check.broken),
        cause="" if check.cause is None else check.cause.sentence,
        seconds=check.duration,
    )
