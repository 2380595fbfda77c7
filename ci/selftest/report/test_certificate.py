"""Certificates: what is in order verifies, and whatever is damaged, edited or of other runs is refused."""

import io
import warnings
import zipfile
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
from vdi_conformance.report.certification import CANARIES, SEEDS
from vdi_conformance.requirements.profiles import newest

FIRST = CANARIES["core"][0]
GOOD = pack(certificate(made.parts()))
CATALOGUE = "catalogue/requirements.tsv"
SEED_0 = "evidence/seed-0.jsonl"
HELD = {one.id: Held(one.node, tuple(one.requirements)) for one in made.checks()}


def verify(data: bytes) -> str:
    """Verify with the suite that made it."""
    return verified(data, made.shipped(), made.NOW).outcome


def of_runs(*checks: CheckRecord, **header: Any) -> bytes:
    """A certificate of runs with some checks otherwise, or with another header."""
    others = {one.id: one for one in made.checks()} | {one.id: one for one in checks}
    runs = tuple(made.lines(made.run(seed, [*others.values()], **header)) for seed in SEEDS)
    return pack(certificate(made.parts(runs=runs)))


def first(verdict: Any, **changes: Any) -> CheckRecord:
    """The check of one scored requirement that must hold, which ended so."""
    return msgspec.structs.replace(made.called(check("made/CMP-03", verdict, requirements=("CMP-03",))), **changes)


def test_a_certificate_in_order_is_authentic_and_conformant() -> None:
    manifest = verified(GOOD, made.shipped(held={made.core().label: HELD}), made.NOW)
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
    manifest = verified(of_runs(ended), made.shipped(), made.NOW)
    assert manifest.outcome == outcome
    assert manifest.reasons[0].startswith(reason)


def test_a_broken_recommendation_conforms_where_both_seeds_see_it() -> None:
    requirement = next(one for one in made.checks() if one.level == "SHOULD")
    warned = msgspec.structs.replace(
        made.called(check(requirement.id, "warning", requirements=tuple(requirement.requirements))), level="SHOULD"
    )
    assert verify(of_runs(warned)) == "conformant"


def test_seeds_that_disagree_make_it_incomplete() -> None:
    requirement = next(one for one in made.checks() if one.level == "SHOULD")
    warned = msgspec.structs.replace(
        made.called(check(requirement.id, "warning", requirements=tuple(requirement.requirements))), level="SHOULD"
    )
    others = [one for one in made.checks() if one.id != requirement.id]
    runs = (made.lines(made.run(0, [requirement, *others])), made.lines(made.run(1, [warned, *others])))
    manifest = verified(pack(certificate(made.parts(runs=runs))), made.shipped(), made.NOW)
    assert (manifest.outcome, manifest.reasons) == (
        "incomplete",
        [f"the seeds disagree: {requirement.requirements[0]}"],
    )


def test_a_fault_that_is_not_found_makes_it_void() -> None:
    canaries = {one.fault: made.lines(made.canary(one, "passed")) for one in CANARIES["core"]}
    manifest = verified(pack(certificate(made.parts(canaries=canaries))), made.shipped(), made.NOW)
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


def archived(names: list[str], compression: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    """An archive of files of these names, as nobody but a forger writes it."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # a name that comes twice
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), unpack(GOOD).get(name, b"0" * 10_000), compression)
        archive.comment = comment
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (GOOD + b"more", "holds more than its files"),
        (b"before" + GOOD, "no ZIP file"),
        (b"PK before" + GOOD, "packed otherwise"),
        (archived([*unpack(GOOD)], comment=b"by hand"), "holds more than its files"),
        (archived([*unpack(GOOD)]), "packed otherwise"),
        (archived([*unpack(GOOD), MANIFEST]), "holds 'manifest.json' more than once"),
        (archived([*unpack(GOOD), "bomb"], zipfile.ZIP_DEFLATED), "its files are compressed"),
        (pack(unpack(GOOD) | {"../../evil": b""}), "../../evil does not belong to it"),
        (pack({name: data for name, data in unpack(GOOD).items() if name != CATALOGUE}), f"{CATALOGUE} is missing"),
        (pack({name: data for name, data in unpack(GOOD).items() if name != MANIFEST}), "its manifest.json is missing"),
        (pack(unpack(GOOD) | {SEED_0: b"{}"}), f"{SEED_0} is not what its digest says"),
    ],
)
def test_an_archive_of_another_form_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidCertificate, match=sentence):
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


def without_footer(data: bytes) -> bytes:
    return b"\n".join(data.splitlines()[:-1]) + b"\n"


def replaced(before: bytes, after: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert before in data
        return data.replace(before, after)

    return change


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        (SEED_0, without_footer, "needs a header first and a footer last"),
        (SEED_0, lambda _: b"", "needs a header first and a footer last"),
        (SEED_0, replaced(b'"seed":0', b'"seed":7'), f"{SEED_0} is of a run with the seed 7"),
        (SEED_0, replaced(b'"counts":{"passed":', b'"counts":{"passed":9'), "a footer that does not follow"),
        ("evidence/seed-1.jsonl", replaced(b"made/CMP-04", b"made/CMP-00"), "do not hold the same checks"),
        ("verdicts.json", replaced(b'"passed"', b'"failed"'), "its verdicts.json says something"),
        ("README.md", replaced(b"conformant", b"splendid"), "its README.md says something"),
        (CATALOGUE, replaced(b"Measure both", b"Measure one"), f"its {CATALOGUE} is not the one of version"),
        ("catalogue/sources.tsv", replaced(b"https", b"http"), "sources.tsv is not the one of version"),
        ("profile.toml", replaced(b'"CMP-03", ', b""), "not the one that is frozen"),
        ("catalogue/optional.tsv", lambda _: b"", "its parts cannot be read"),
    ],
)
def test_what_was_edited_with_its_digest_is_refused(name: str, change: Callable[[bytes], bytes], sentence: str) -> None:
    with pytest.raises(InvalidCertificate, match=sentence):
        verify(made.forged(name, change))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"format": 2}, "it has format 2"),
        ({"outcome": "not conformant"}, "its manifest.json says something"),
        ({"reasons": ["none"]}, "its manifest.json says something"),
        ({"client": {"reference": "emulator", "name": "better", "version": "1"}}, "its client differs"),
        ({"suite_version": "0.0.9"}, "its suite_version differs"),
        ({"canaries": []}, "its canaries are not those of its profile"),
        ({"signed": True}, "manifest.json is missing or cannot be read"),
    ],
)
def test_a_manifest_that_says_otherwise_is_refused(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidCertificate, match=sentence):
        verify(made.resealed(unpack(GOOD), **said))


KNOWN = KnownFailure(entry="CMP-03", reason="known", issue="none", fault="adapter")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"selection": []}, "its selection differs"),
        ({"selection": [f"profile {made.core().label}", "topic CMP"]}, "its selection differs"),
        ({"timeout_scale": 5.0}, "its timeout_scale differs"),
        ({"profile": None}, "its profile differs"),
        ({"catalogue_sha256": "0" * 64}, "its catalogue differs"),
    ],
)
def test_runs_with_other_options_are_refused(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidCertificate, match=sentence):
        verify(of_runs(**changed))


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
        verify(of_runs(record))


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        (HELD | {"made/unpleasant": Held("a::b", ("CMP-03",))}, "its evidence lacks the check made/unpleasant"),
        ({id_: one for id_, one in HELD.items() if id_ != "made/CMP-03"}, "its evidence has the check made/CMP-03"),
        (HELD | {"made/CMP-03": Held("a::b", ("CMP-04",))}, "made/CMP-03 is another check in version 0.1.0"),
        (HELD | {"made/CMP-03": Held("a::b", ("CMP-03", "CMP-04"))}, "made/CMP-03 is another check in version 0.1.0"),
        (HELD | {"made/CMP-03": Held("a::c", ("CMP-03",))}, "made/CMP-03 is another check in version 0.1.0"),
    ],
)
def test_evidence_of_other_checks_than_the_suite_has_is_refused(held: dict[str, Held], sentence: str) -> None:
    with pytest.raises(InvalidCertificate, match=sentence):
        verified(GOOD, made.shipped(held={made.core().label: held}), made.NOW)
    other = made.shipped("0.2.0", {made.core().label: held})
    assert verified(GOOD, other, made.NOW).outcome == "conformant"


def test_a_canary_of_another_run_is_refused() -> None:
    canaries = {one.fault: made.lines(made.run(0)) for one in CANARIES["core"]}
    with pytest.raises(InvalidCertificate, match=f"canaries/{FIRST.fault}.jsonl is of another run"):
        verify(pack(certificate(made.parts(canaries=canaries))))


def test_a_frozen_profile_is_known_whatever_the_version_of_the_suite() -> None:
    with pytest.raises(InvalidCertificate, match="not the one that is frozen"):
        verified(made.forged("profile.toml", replaced(b'"CMP-03", ', b"")), made.shipped("0.2.0"), made.NOW)


@pytest.mark.parametrize("name", CANARIES)
def test_each_canary_breaks_what_its_profile_scores(name: str) -> None:
    (profile,) = (one for one in newest() if one.name == name)
    assert {one.requirement for one in CANARIES[name]} <= profile.scored
