"""Runs that never happened, put together from what a test cares about."""

from typing import Any

import msgspec

from selftest.evidence.samples import CHECK, FOOTER, HEADER
from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import CHARGING, Cause, CheckRecord, Observation, Verdict


def check(
    id_: str = "map/a",
    verdict: Verdict = "passed",
    cause: str = "NOERROR",
    requirements: tuple[str, ...] = ("MBH-04",),
    seen: dict[str, str] | None = None,
) -> CheckRecord:
    """Make a check; `cause` is the observed code, or one of the other kinds; `seen` are answers to Q38 by subject."""
    kinds = ("assertion", "died", "hung", "protocol", "suite", "not tested")
    why = Cause(kind="code", sentence=f"it gave {cause}", expected=["VD_E_INVALID"], observed=cause)
    if cause in kinds:
        why = msgspec.convert({"kind": cause, "sentence": f"it {cause}"}, Cause)
    return msgspec.structs.replace(
        CHECK,
        id=id_,
        requirements=list(requirements),
        verdict=verdict,
        broken=list(requirements) if verdict in CHARGING else [],
        cause=None if verdict == "passed" else why,
        observations=[Observation(question="Q38", subject=key, answer=value) for key, value in (seen or {}).items()],
    )


def run(*checks: CheckRecord, **header: Any) -> Evidence:
    """Make a whole run of these checks; `header` is what its header has otherwise than usual."""
    return Evidence(msgspec.structs.replace(HEADER, **header), checks, FOOTER)
