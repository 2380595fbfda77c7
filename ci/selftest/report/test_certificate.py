"""Certificates: what is in order verifies, and what nobody can have written so is refused."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftest.report import certificates as made
from selftest.report.made import check
from vdi_conformance.evidence.records import CheckRecord, KnownFailure
from vdi_conformance.report.certificate import certificate
from vdi_conformance.report.certificate_archive import MANIFEST, InvalidCertificate, pack, unpack
from vdi_conformance.report.certificate_verification import Held, verified
from vdi_conformance.report.certification import CANARIES
from vdi_conformance.requirements.profiles import newest

FIRST = CANARIES["core"][0]
GOOD = pack(certificate(made.parts()))
CATALOGUE = "catalogue/requirements.tsv"
SEED_0 = "evidence/seed-0.jsonl"
HELD = {one.id: Held(one.node, tuple(one.requirements)) for one in made.checks()}


def verify(data: bytes) -> str:
    """Verify with the suite that made it."""
    return verified(data, made.shipped(), made.NOW).manifest.outcome


def first(verdict: Any, **changes: Any) -> CheckRecord:
    """The check of one scored requirement that must hold, which ended so."""
    return msgspec.structs.replace(made.called(check("made/CMP-03", verdict, requirements=("CMP-03",))), **changes)


def test_a_certificate_in_order_is_authentic_and_conformant() -> None:
    manifest = verified(GOOD, made.shipped(held={made.core().label: HELD}), made.NOW).manifest
    assert (manifest.outcome, manifest.reasons) == ("conformant", [])
    assert manifest.canaries == [one.fault for one in CANARIES["core"]]


def test_the_same_parts_are_the_same_bytes() -> None:
    assert pack(certificate(made.parts())) == GOOD
    assert pack(dict(reversed(unpack(GOOD).items()))) == GOOD


@pytest.mark.parametrize(
    ("ended", "outcome", "reason"),
    [
        (first("failed"), "not conformant", "failed: CMP-03"),
        (first("not tested"), "incomplete", "not tested: CMP-03"),
        (first("error"), "incomplete", "error: CMP-03"),
        (check("made/lost", "error", requirements=()), "incomplete", "a check ended in error before"),
    ],
)
def test_what_did_not_come_out_well_is_authentic_too(ended: CheckRecord, outcome: str, reason: str) -> None:
    manifest = verified(made.certified(ended), made.shipped(), made.NOW).manifest
    assert manifest.outcome == outcome
    assert manifest.reasons[0].startswith(reason)


def test_a_broken_recommendation_conforms_where_both_seeds_see_it() -> None:
    requirement = next(one for one in made.checks() if one.level == "SHOULD")
    warned = msgspec.structs.replace(
        made.called(check(requirement.id, "warning", requirements=tuple(requirement.requirements))), level="SHOULD"
    )
    assert verify(made.certified(warned)) == "conformant"


def test_seeds_that_disagree_make_it_incomplete() -> None:
    requirement = next(one for one in made.checks() if one.level == "SHOULD")
    warned = msgspec.structs.replace(
        made.called(check(requirement.id, "warning", requirements=tuple(requirement.requirements))), level="SHOULD"
    )
    others = [one for one in made.checks() if one.id != requirement.id]
    runs = (made.lines(made.run(0, [requirement, *others])), made.lines(made.run(1, [warned, *others])))
    manifest = verified(pack(certificate(made.parts(runs=runs))), made.shipped(), made.NOW).manifest
    assert (manifest.outcome, manifest.reasons) == (
        "incomplete",
        [f"the seeds disagree: {requirement.requirements[0]}"],
    )


def test_a_fault_that_is_not_found_makes_it_void() -> None:
    canaries = {one.fault: made.lines(made.canary(one, "passed")) for one in CANARIES["core"]}
    manifest = verified(pack(certificate(made.parts(canaries=canaries))), made.shipped(), made.NOW).manifest
    assert manifest.outcome == "incomplete"
    assert manifest.reasons == [f"the fault {one.fault} was not found" for one in CANARIES["core"]]


@given(place=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 7))
def test_no_bit_of_it_can_be_another(place: int, bit: int) -> None:
    with pytest.raises(InvalidCertificate):
        verify(GOOD[:place] + bytes([GOOD[place] ^ 1 << bit]) + GOOD[place + 1 :])


@given(st.integers(0, len(GOOD) - 1))
def test_no_part_of_it_is_enough(size: int) -> None:
    with pytest.raises(InvalidCertificate):
        verify(GOOD[:size])


@given(st.binary(max_size=200))
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidCertificate):
        verify(data)


def crowded(files: int, said: int | None = None) -> bytes:
    """An archive of so many empty files, whose end says that they are `said`."""
    data = bytearray(pack(dict.fromkeys(map(str, range(files)), b"")))
    if said is not None:
        data[-14:-10] = said.to_bytes(2, "little") * 2
    return bytes(data)


def disguised(data: bytes) -> bytes:
    """The same with a second end, which says that there is nothing in it, after the first."""
    return data[:-22] + b"PK\5\6" + bytes(18)


@pytest.mark.parametrize(
    "data", [crowded(65), crowded(2000), crowded(2000, 1), crowded(70_000), disguised(crowded(70_000))]
)
def test_an_archive_of_very_many_files_is_not_looked_into(data: bytes) -> None:
    with pytest.raises(InvalidCertificate, match="more files than any certificate"):
        verify(data)


def respelled(change: Callable[[bytes], bytes]) -> bytes:
    """A certificate whose manifest says the same in other bytes."""
    files = unpack(GOOD)
    changed = change(files[MANIFEST])
    assert msgspec.json.decode(changed) == msgspec.json.decode(files[MANIFEST])
    return pack(files | {MANIFEST: changed})


@pytest.mark.parametrize(
    "change",
    [
        lambda data: msgspec.json.encode(msgspec.json.decode(data)),
        lambda data: data.rstrip(),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b'"outcome": "conformant"', b'"outcome": "incomplete", "outcome": "conformant"'),
        lambda data: data.replace(b'"outcome": "conformant"', b'"outcome": "\\u0063onformant"'),
        lambda data: data.replace(b'"format": 1', b'"format":  1'),
        lambda data: (
            msgspec.json.format(msgspec.json.encode(msgspec.json.decode(data), order="sorted"), indent=2) + b"\n"
        ),
    ],
)
def test_a_manifest_has_one_spelling(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(InvalidCertificate, match=r"its manifest\.json is not spelled as"):
        verify(respelled(change))


@pytest.mark.parametrize(
    "said", [b"[" * 200_000, b'{"a":' * 100_000, b'{"format":' + b"9" * 5000 + b"}", b"\xff", b"1e999"]
)
@pytest.mark.parametrize("name", [MANIFEST, SEED_0, "profile.toml", CATALOGUE])
def test_what_nobody_can_read_is_refused(name: str, said: bytes) -> None:
    files = unpack(GOOD) | {name: said}
    with pytest.raises(InvalidCertificate, match="cannot be read"):
        verify(pack(files) if name == MANIFEST else made.resealed(files))


KNOWN = KnownFailure(entry="CMP-03", reason="known", issue="none", fault="adapter")


@pytest.mark.parametrize(
    "record",
    [
        first("known failure", known=KNOWN),
        first("passed", cause=first("failed").cause),
        first("failed", cause=None),
        first("passed", level="SHOULD"),
        first("passed", requirements=["CMP-99"]),
        first("passed", requirements=[]),
        check("made/more", requirements=("GBH-01",)),
    ],
)
def test_records_that_no_run_leaves_are_refused(record: CheckRecord) -> None:
    with pytest.raises(InvalidCertificate, match=r"a record of made/\S+ that no run leaves"):
        verify(made.certified(record))


@pytest.mark.parametrize("name", CANARIES)
def test_each_canary_breaks_what_its_profile_scores(name: str) -> None:
    (profile,) = (one for one in newest() if one.name == name)
    assert {one.requirement for one in CANARIES[name]} <= profile.scored
