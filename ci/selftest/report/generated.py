"""Whole runs of every kind, with texts that hold anything, for properties of reports."""

from typing import Any, Final, get_args

from hypothesis import strategies as st

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import (
    CHARGING,
    VERDICTS,
    Call,
    Cause,
    CauseKind,
    CheckRecord,
    Culprit,
    Footer,
    Header,
    KnownFailure,
    Observation,
    Party,
    Unexpected,
)
from vdi_conformance.judgement.exit_codes import exit_code
from vdi_conformance.judgement.scoring import counts_with_untested, untested
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.values import LEVELS

TEXT: Final = st.text(st.characters(exclude_categories=[]), max_size=20)
REQUIREMENTS: Final = st.lists(
    st.sampled_from([*(requirement.id for requirement in catalogue().requirements), "NIX-01"]), max_size=3, unique=True
)
SECONDS: Final = st.floats(0, 1e6)

parties: Final = st.builds(Party, reference=TEXT, name=TEXT, version=TEXT, vendor=TEXT, library=TEXT)
headers: Final = st.builds(
    Header,
    suite_version=TEXT,
    catalogue_sha256=TEXT,
    client=parties,
    server=parties,
    platform=TEXT,
    python=TEXT,
    seed=st.integers(),
    timeout_scale=st.floats(1, 100),
    selection=st.lists(TEXT, max_size=2),
    started=TEXT,
)
causes: Final = st.builds(
    Cause,
    kind=st.sampled_from(get_args(CauseKind)),
    sentence=TEXT,
    expected=st.lists(TEXT, max_size=2),
    observed=st.none() | TEXT,
)
known: Final = st.builds(KnownFailure, entry=TEXT, reason=TEXT, issue=TEXT, fault=st.sampled_from(get_args(Culprit)))
values: Final[st.SearchStrategy[Any]] = st.none() | TEXT | st.integers() | st.dictionaries(TEXT, TEXT, max_size=2)
calls: Final = st.builds(
    Call,
    number=st.integers(0, 1000),
    process=TEXT,
    thread=TEXT,
    method=TEXT,
    params=st.dictionaries(TEXT | st.just("code"), values, max_size=2),
    answer=st.none() | TEXT | st.dictionaries(TEXT | st.just("code"), values, max_size=2),
    begin=st.floats(0, 1e9),
    end=st.none() | st.floats(0, 1e9),
)
unexpected: Final = st.builds(
    Unexpected,
    call=st.integers(0, 1000),
    judge=st.sampled_from(["model", "check"]),
    permitted=st.lists(TEXT, max_size=2),
)


@st.composite
def checks(draw: st.DrawFn) -> CheckRecord:
    """Make a check that ended in any way; one that passed has no cause."""
    verdict = draw(st.sampled_from(VERDICTS))
    judged = draw(REQUIREMENTS)
    return CheckRecord(
        id=draw(TEXT.filter(bool)),
        node=draw(TEXT),
        requirements=judged,
        level=draw(st.sampled_from(LEVELS)),
        verdict=verdict,
        broken=draw(st.lists(st.sampled_from(judged), unique=True)) if judged and verdict in CHARGING else [],
        duration=draw(SECONDS),
        cause=None if verdict == "passed" else draw(st.none() | causes),
        known=draw(known) if verdict == "known failure" else None,
        observations=draw(st.lists(st.builds(Observation, question=TEXT, subject=TEXT, answer=TEXT), max_size=2)),
        calls=draw(st.lists(calls, max_size=2)),
        unexpected=draw(st.none() | unexpected),
        detail=draw(TEXT),
    )


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    """Make a whole run."""
    made = draw(st.lists(checks(), max_size=6, unique_by=lambda check: check.id))
    counts: dict[str, int] = {}
    for check in made:
        counts[check.verdict] = counts.get(check.verdict, 0) + 1
    complaints = draw(st.lists(TEXT, max_size=2))
    header = draw(headers)
    code = exit_code(counts_with_untested(counts, untested(catalogue().requirements, header, made)), 0, complaints)
    footer = Footer(counts=counts, complaints=complaints, exit_code=code, duration=draw(SECONDS))
    return Evidence(header, tuple(made), footer)
