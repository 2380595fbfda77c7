"""Failures told by their causes."""

import msgspec
import pytest

from selftest.report.made import check
from vdi_conformance.evidence.records import Cause, CheckRecord, Requests
from vdi_conformance.report.causes import by_cause, general, key_of


def ended(id_: str, sentence: str, *requirements: str, broken: str = "MBH-02", client: int = 3) -> CheckRecord:
    made = check(id_, "failed", requirements=requirements or (broken,))
    cause = Cause(kind="assertion", sentence=sentence)
    return msgspec.structs.replace(made, broken=[broken], cause=cause, requests=Requests(client=client))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GetBufferHandle in primary gave NOERROR", "GetBufferHandle in secondary 12 gave NOERROR"),
        ("primary sees 512 bytes at 0x7f00", "secondary 1 sees 65536 bytes at 0x10"),
        ("a Create of vdi-conformance-0a1b-1 failed", "a Create of vdi-conformance-ffff-12-3 failed"),
        ("it died\nin line 3 of a.py", "it died\nin line 4 of b.py"),
        ("primary sees other bytes; before that: it slept", "primary sees other bytes"),
    ],
)
def test_what_differs_from_check_to_check_is_left_out(one: str, other: str) -> None:
    assert general(one) == general(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GetBufferHandle in primary gave NOERROR", "MapBufferHandle in primary gave NOERROR"),
        ("Close gave HRESULT_FROM_WIN32(5)", "Close gave HRESULT_FROM_WIN32(6)"),
        ("Close gave VD_E_OPEN instead of NOERROR", "Close gave VD_E_CLOSE instead of NOERROR"),
    ],
)
def test_what_was_called_and_what_came_stays(one: str, other: str) -> None:
    assert general(one) != general(other)


def test_one_defect_is_told_once_by_the_check_that_shows_it_best() -> None:
    made = [
        ended("GBH/far", "primary sees other bytes at 0x1", "GBH-01", "MBH-02", client=2),
        ended("MBH/long", "secondary 1 sees other bytes at 0x2", client=900),
        ended("MBH/short", "secondary 2 sees other bytes at 0x3", client=9),
        ended("MBH/else", "primary was killed", client=1),
        ended("MBH/handle", "primary sees other bytes at 0x1", broken="GBH-01"),
    ]
    told = by_cause(made)
    assert [one.clearest.id for one in told] == ["MBH/short", "MBH/else", "MBH/handle"]
    assert {one.id for one in told[0].others} == {"GBH/far", "MBH/long"}
    assert told[0].sentence == "a client sees other bytes at …"


def test_the_key_of_a_cause_is_the_same_in_every_run() -> None:
    first, second = (ended(id_, f"primary sees other bytes at {at}") for id_, at in (("a/a", "0x1"), ("b/b", "0x2")))
    assert key_of(first) == key_of(second) == "failed | MBH-02 | a client sees other bytes at …"


def test_a_process_that_ends_in_a_call_is_one_defect_whatever_was_to_be_judged() -> None:
    ends = [ended("a/a", "host 'primary' was killed in set.close", broken=one) for one in ("MBH-01", "MBH-02")]
    died = [
        msgspec.structs.replace(one, cause=Cause(kind="died", sentence=one.cause.sentence)) for one in ends if one.cause
    ]
    assert len(by_cause(died)) == 1
    assert len(by_cause(ends)) == 2
