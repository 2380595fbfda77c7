"""What no run can leave is refused, although all digests are right and every verdict follows from the evidence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from selftest.evidence.samples import HEADER
from selftest.report import certificates as made
from selftest.report.made import check
from vdi_conformance.evidence.records import Call, Cause, CheckRecord, Footer, Machine, Observation, Requests
from vdi_conformance.report.certificate import understood
from vdi_conformance.report.certificate_archive import InvalidCertificate
from vdi_conformance.report.certificate_plausibility import check_run
from vdi_conformance.report.certificate_verification import verified
from vdi_conformance.report.certification import CANARIES
from vdi_conformance.requirements import catalogue

PASSED = made.called(check("made/CMP-03", requirements=("CMP-03",)))
STARTED = datetime.fromisoformat(HEADER.started)
CALL = Call(number=1, process="primary", method="client.close", params={}, answer=None)
ABI_17 = Cause(kind="code", sentence="a success", expected=["NOERROR"], observed="0x00000001")


def of(record: CheckRecord | None = None, **header: Any) -> bytes:
    """A certificate whose runs have one check otherwise, or another header."""
    return made.certified(*([record] if record else []), **header)


def passed(**changes: Any) -> CheckRecord:
    """A check that passed, and says something else besides."""
    return msgspec.structs.replace(PASSED, **changes)


def verify(data: bytes, now: datetime = made.NOW) -> str:
    """Verify with the suite that made it."""
    return verified(data, made.shipped(), now).manifest.outcome


def seen(**changes: Any) -> list[Observation]:
    """An observation that the catalogue knows, but for what is changed."""
    reading = next(one for one in catalogue().questions["Q4"].readings if one.permitted)
    usual = {"question": "Q4", "subject": reading.subject, "answer": reading.permitted[0]}
    return [msgspec.convert(usual | {"permitted": list(reading.permitted)} | changes, Observation)]


@pytest.mark.parametrize(
    "record",
    [
        passed(),
        passed(requests=Requests(client=1)),
        passed(observations=seen()),
        passed(observations=[Observation(question="ABI-28", subject="Create giving 0x80004005", answer="seen")]),
        passed(codes={"Close": ["E_ACCESSDENIED", "HRESULT_FROM_WIN32(2)", "0xFFFFFFFF"]}),
        msgspec.structs.replace(
            PASSED, verdict="warning", broken=["ABI-17"], cause=ABI_17, codes={"Close": ["0x00000001"]}
        ),
    ],
)
def test_what_a_run_may_leave_is_authentic(record: CheckRecord) -> None:
    assert verify(of(record)) == "conformant"


def warned(*broken: str) -> CheckRecord:
    """A record that was charged with these in a warning."""
    cause = check("a", "failed").cause
    return msgspec.structs.replace(PASSED, verdict="warning", broken=list(broken), cause=cause)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (passed(requests=Requests()), "without any call"),
        (passed(requests=Requests(statements=3)), "without any call"),
        (passed(codes={}), "without any answer of a client method"),
        (passed(codes={"Close": []}), "no list of HRESULTs"),
        (passed(codes={"Close": ["NOERROR", "NOERROR"]}), "no list of HRESULTs"),
        (passed(codes={"Close": ["NO_ERROR"]}), "no list of HRESULTs"),
        (passed(codes={"Close": ["VD_E_"]}), "no list of HRESULTs"),
        (passed(codes={"Close": ["0x80770006"]}), "no list of HRESULTs"),
        (passed(codes={"Close": ["HRESULT_FROM_WIN32(65536)"]}), "no list of HRESULTs"),
        (passed(codes={"Close": ["HRESULT_FROM_WIN32(5)"]}), "no list of HRESULTs"),
        (passed(codes={"Closed": ["NOERROR"]}), "there is no method 'Closed'"),
        (passed(codes={"Close": ["0x00000001"]}), "a success other than NOERROR"),
        (passed(codes=made.CODES | {"OpenInSecondaryEx": ["NOERROR"]}), "a process joined a set"),
        (passed(requests=Requests(client=3, steps=1)), "at the level of statements"),
        (passed(requests=Requests(client=3, statements=-1)), "fewer methods than none"),
        (passed(calls=[CALL]), "it passed, and tells of a failure"),
        (passed(detail="test_a.py:1: assert False"), "it passed, and tells of a failure"),
        (warned("CMP-03"), "which is a failure"),
        (warned(), "does not go with its verdict"),
        (warned("ABI-17", "NIX-01"), "what is no requirement"),
        (passed(broken=["CMP-03"]), "does not go with its verdict"),
        (passed(observations=seen(answer="something else")), "none of those that it calls permitted"),
        (
            passed(observations=seen(permitted=["something else"], answer="something else")),
            "other answers to Q4 than the catalogue",
        ),
        (passed(observations=seen(question="Q999")), "'Q999', which is no open question"),
        (passed(duration=-0.5), "less than no time"),
        (passed(duration=1e300), "took longer than 2 workers had"),
    ],
)
def test_a_record_that_cannot_be_is_refused(record: CheckRecord, problem: str) -> None:
    with pytest.raises(InvalidCertificate, match=problem):
        verify(of(record))


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ({"started": (made.NOW + timedelta(hours=1)).isoformat(timespec="seconds")}, "it began at"),
        ({"started": "9999-12-31T23:59:59+00:00"}, "it began at"),
        ({"started": "2026-01-01T00:00:00"}, "no time in UTC"),
        ({"started": "2026-01-01T02:00:00+02:00"}, "no time in UTC"),
        ({"started": "20260101T000000+0000"}, "no time in UTC"),
        ({"started": "yesterday"}, "no time in UTC"),
        ({"plugins": {}}, "it had the plugins none"),
        ({"machines": [Machine(name="a", platform="b", python="3.11")]}, "it was spread over machines"),
        ({"plugins": {"pytest-xdist": "3", "pytest-sugar": "1"}}, "it had the plugins pytest-xdist, pytest-sugar"),
        ({"tools": {"pytest": "9"}}, "its tools are not hypothesis, msgspec, pytest, pytest-xdist"),
        ({"tools": HEADER.tools | {"pytest": ""}}, "its tools are not"),
        ({"client": HEADER.client}, "its client does not say whether"),
        ({"server": HEADER.client}, "its server does not say whether"),
        ({"client": msgspec.structs.replace(made.PARTY, capabilities={"magic": True})}, "unknown capability"),
        (
            {"server": msgspec.structs.replace(made.PARTY, capabilities=made.PARTY.capabilities | {"server": "none"})},
            "its server has no server role",
        ),
    ],
)
def test_a_run_that_cannot_be_is_refused(header: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidCertificate, match=problem):
        verify(of(**header))


def test_dates_are_held_against_the_time_of_the_verification_with_some_patience() -> None:
    data = of()
    assert verify(data, STARTED + timedelta(seconds=made.SECONDS)) == "conformant"
    assert verify(data, STARTED + timedelta(seconds=made.SECONDS - 300)) == "conformant"
    with pytest.raises(InvalidCertificate, match="took 60 s"):
        verify(data, STARTED - timedelta(minutes=10))


def footer_of(**changes: Any) -> Callable[[bytes], bytes]:
    """Change the last line of evidence."""

    def change(data: bytes) -> bytes:
        *lines, last = data.splitlines()
        footer = msgspec.structs.replace(msgspec.json.decode(last, type=Footer), **changes)
        return b"\n".join([*lines, msgspec.json.encode(footer)]) + b"\n"

    return change


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("evidence/seed-0.jsonl", footer_of(duration=-1.0), "it took -1 s"),
        ("evidence/seed-0.jsonl", footer_of(duration=1e300), r"it took 1e\+300 s"),
        ("evidence/seed-0.jsonl", footer_of(duration=0.1), "took longer than 2 workers had"),
        ("evidence/seed-0.jsonl", footer_of(duration=4000.0), "its runs overlap"),
        ("evidence/seed-1.jsonl", lambda data: data.replace(b'"pytest":"9"', b'"pytest":"8"'), "different versions"),
        ("evidence/seed-1.jsonl", lambda data: data.replace(b'"level":"MUST",', b'"level": "MUST",', 1), "spelled"),
        ("evidence/seed-1.jsonl", lambda data: data.replace(b"\n", b"\r\n"), "spelled"),
        ("evidence/seed-1.jsonl", lambda data: data.replace(b'"detail":""', b'"detail":"","detail":""', 1), "spelled"),
        (f"canaries/{CANARIES['core'][0].fault}.jsonl", footer_of(duration=-1.0), "it took -1 s"),
    ],
)
def test_a_file_that_cannot_be_is_refused(name: str, change: Callable[[bytes], bytes], problem: str) -> None:
    with pytest.raises(InvalidCertificate, match=problem):
        verify(made.forged(name, change))


def test_at_the_level_of_statements_nothing_passes_that_needs_every_step() -> None:
    parts = made.parts()
    found = understood(parts)
    check_run("it", parts.runs[0], found, found.runs[0], made.NOW)
    requirements = tuple(
        replace(requirement, reach="scripted") if requirement.id == "CMP-03" else requirement
        for requirement in found.catalogue.requirements
    )
    found = replace(found, catalogue=replace(found.catalogue, requirements=requirements))
    with pytest.raises(InvalidCertificate, match="it ended as passed, at the level of statements"):
        check_run("it", parts.runs[0], found, found.runs[0], made.NOW)


def test_checks_that_call_compiled_code_by_themselves_need_no_codes() -> None:
    native = msgspec.structs.replace(made.PARTY, capabilities=made.PARTY.capabilities | {"native_abi": "com"})
    assert verify(of(passed(codes={}), client=native)) == "conformant"
