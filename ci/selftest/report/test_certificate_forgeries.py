"""Each kind of damage and forgery of a certificate, by its name, and the one sentence with which it is refused."""

import base64
import io
import warnings
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from selftest.evidence.samples import HEADER
from selftest.report import certificates as made
from selftest.report.made import check
from vdi_conformance.evidence.records import Cause, Footer, Observation, Pin, Requests
from vdi_conformance.report.certificate import certificate
from vdi_conformance.report.certificate_archive import (
    MANIFEST,
    MOST_FILES,
    SIGNATURE,
    InvalidCertificate,
    pack,
    unpack,
)
from vdi_conformance.report.certificate_demands import Demands, check_demands
from vdi_conformance.report.certificate_verification import Held, verified
from vdi_conformance.report.certification import CANARIES, SEEDS
from vdi_conformance.requirements import catalogue
from vdi_conformance.signing import envelope as envelopes
from vdi_conformance.signing.envelope import Envelope, Signature
from vdi_conformance.signing.keys import PrivateKey, make, read_private

FIRST, SECOND = CANARIES["core"]
CANARY = f"canaries/{FIRST.fault}.jsonl"
CATALOGUE = "catalogue/requirements.tsv"
SEED_0, SEED_1 = (f"evidence/seed-{seed}.jsonl" for seed in SEEDS)
LABEL = made.core().label
CHALLENGE = "chosen-by-who-asked"
OLDER = "chosen-half-a-year-ago"
GOOD = made.certified(challenge=CHALLENGE)
HELD = {one.id: Held(one.node, tuple(one.requirements)) for one in made.checks()}
PASSED = made.called(check("made/CMP-03", requirements=("CMP-03",)))
FAILED = made.called(check("made/CMP-03", "failed", requirements=("CMP-03",)))
OTHER_RUN = "is of another run than a certificate asks for: its"
CANNOT_BE = "is of a run that cannot be:"
NO_RECORD = f"{SEED_0} has a record of made/CMP-03 that no run leaves"
DAYS = timedelta(days=1)


class Signers(NamedTuple):
    """Whose signature is asked for, and somebody else."""

    ours: PrivateKey
    theirs: PrivateKey


class Forgery(NamedTuple):
    """What is refused, with which sentence, and what was asked for where that is the point."""

    sentence: str
    data: Callable[[Signers], bytes]
    demands: Callable[[Signers], Demands] = lambda _: Demands()


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    """Two keys that were just made."""
    return Signers(*(new_key(tmp_path_factory.mktemp("keys") / name) for name in ("ours", "theirs")))


def new_key(path: Path) -> PrivateKey:
    make(path, None)
    return read_private(path, None)


def always(data: bytes) -> Callable[[Signers], bytes]:
    """What does not depend on keys."""
    return lambda _: data


def archived(names: list[str], compression: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of files of these names, as nobody but a forger writes it."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # a name that comes twice
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), unpack(GOOD)[name], compression)
    return buffer.getvalue()


def without(name: str) -> bytes:
    return pack({one: data for one, data in unpack(GOOD).items() if one != name})


def replaced(before: bytes, after: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert before in data
        return data.replace(before, after)

    return change


def edited(name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The good certificate with one file changed, and its digest with it."""
    files = unpack(GOOD)
    return made.resealed(files | {name: change(files[name])})


def said(**said: Any) -> bytes:
    """The good certificate with a manifest that says otherwise."""
    return made.resealed(unpack(GOOD), **said)


def footer(**changes: Any) -> Callable[[bytes], bytes]:
    """Change the last line of evidence."""

    def change(data: bytes) -> bytes:
        *lines, last = data.splitlines()
        changed = msgspec.structs.replace(msgspec.json.decode(last, type=Footer), **changes)
        return b"\n".join([*lines, msgspec.json.encode(changed)]) + b"\n"

    return change


def of_parts(**changed: Any) -> bytes:
    """A certificate whose digests and verdicts are right, made from other parts."""
    return pack(certificate(made.parts(**changed)))


def of_check(**changes: Any) -> bytes:
    """A certificate of runs in which one check left another record."""
    return made.certified(msgspec.structs.replace(PASSED, **changes))


def of_runs(first: dict[str, Any], second: dict[str, Any]) -> bytes:
    """A certificate whose two runs have other headers."""
    return of_parts(
        runs=tuple(made.lines(made.run(seed, **one)) for seed, one in zip(SEEDS, (first, second), strict=True))
    )


def with_canary(fault: str, **header: Any) -> bytes:
    """A certificate one of whose canaries has another header."""
    canaries = {
        one.fault: made.lines(made.canary(one, **(header if one.fault == fault else {}))) for one in CANARIES["core"]
    }
    return of_parts(canaries=canaries)


def party(**pins: str) -> Any:
    """Who is judged, with another digest of a file by its kind."""
    changed = {path: Pin(kind=pin.kind, sha256=pins.get(pin.kind, pin.sha256)) for path, pin in made.PINS.items()}
    return msgspec.structs.replace(made.PARTY, pins=changed)


def pinning(pins: dict[str, Pin], **capabilities: Any) -> bytes:
    """A certificate of a client that has these pins, everywhere."""
    client = msgspec.structs.replace(made.PARTY, pins=pins, capabilities=made.PARTY.capabilities | capabilities)
    return made.certified(client=client)


def signed(by: PrivateKey, data: bytes = GOOD) -> bytes:
    """A certificate with a signature."""
    return verified(data, made.shipped(), made.NOW).signed(by.sign)


def envelope_of(data: bytes) -> Envelope:
    return envelopes.parse(unpack(data)[SIGNATURE])


def resigned(change: Callable[[Envelope], Envelope]) -> Callable[[Signers], bytes]:
    """The good certificate with another envelope than its signer made."""

    def forge(signers: Signers) -> bytes:
        data = signed(signers.ours)
        return pack(unpack(data) | {SIGNATURE: envelopes.written(change(envelope_of(data)))})

    return forge


def by_name(**changes: Any) -> Callable[[Envelope], Envelope]:
    """Change the only signature."""
    return lambda one: msgspec.structs.replace(one, signatures=[msgspec.structs.replace(one.signatures[0], **changes)])


def impersonated(signers: Signers) -> bytes:
    """Their signature by our name."""
    data = signed(signers.theirs)
    envelope = by_name(keyid=signers.ours.public.id)(envelope_of(data))
    return pack(unpack(data) | {SIGNATURE: envelopes.written(envelope)})


def transplanted(signers: Signers) -> bytes:
    """The signature of a certificate that was given to another adapter."""
    other = signed(signers.ours, made.certified(challenge=OLDER))
    return pack(unpack(GOOD) | {SIGNATURE: unpack(other)[SIGNATURE]})


def respelled(signers: Signers) -> bytes:
    files = unpack(signed(signers.ours))
    return pack(files | {SIGNATURE: msgspec.json.encode(msgspec.json.decode(files[SIGNATURE]))})


def many(envelope: Envelope) -> Envelope:
    sig = envelope.signatures[0].sig
    return msgspec.structs.replace(envelope, signatures=[Signature(keyid=f"{n:064x}", sig=sig) for n in range(17)])


def ours(signers: Signers) -> Demands:
    return Demands(keys=[signers.ours.public])


def asked(**demands: Any) -> Callable[[Signers], Demands]:
    return lambda _: Demands(**demands)


def observed(answer: str) -> list[Observation]:
    reading = next(one for one in catalogue().questions["Q4"].readings if one.permitted)
    return [
        Observation(question="Q4", subject=reading.subject, answer=answer, permitted=list(reading.permitted)),
    ]


WARNED = made.called(check("made/CMP-03", "warning", requirements=("CMP-03",)))
SUCCESS = Cause(kind="code", sentence="a success", expected=["NOERROR"], observed="0x00000001")
OTHER_PROFILE = msgspec.structs.replace(made.run(0).header.profile, version=99)  # type: ignore[type-var]
AHEAD = (made.NOW + timedelta(hours=1)).isoformat(timespec="seconds")
FOREIGN = "c" * 64

FORGERIES: dict[str, Forgery] = {
    # The archive.
    "bytes behind it": Forgery("it is damaged, or holds more than its files", always(GOOD + b"more")),
    "bytes before it": Forgery("it is damaged or no ZIP file", always(b"before" + GOOD)),
    "packed by another program": Forgery(
        "it holds more than its files, or they are packed otherwise than `certify` does",
        always(archived([*unpack(GOOD)])),
    ),
    "a second manifest": Forgery(
        "it holds 'manifest.json' more than once", always(archived([*unpack(GOOD), MANIFEST]))
    ),
    "compressed": Forgery(
        "its files are compressed, which `certify` does not do", always(archived([*unpack(GOOD)], zipfile.ZIP_DEFLATED))
    ),
    "thousands of files": Forgery(
        "it has more files than any certificate", always(pack(dict.fromkeys(map(str, range(MOST_FILES + 1)), b"")))
    ),
    "a file that leads elsewhere": Forgery(
        "../../evil does not belong to it", always(pack(unpack(GOOD) | {"../../evil": b""}))
    ),
    "a file that the manifest lists in vain": Forgery(f"{CATALOGUE} is missing", always(without(CATALOGUE))),
    "a file that nobody asked for": Forgery(
        "notes.txt does not belong to it", always(made.resealed(unpack(GOOD) | {"notes.txt": b"conformant"}))
    ),
    "no manifest": Forgery(
        "its manifest.json is missing or cannot be read (it ends in the middle of JSON)", always(without(MANIFEST))
    ),
    "a changed file": Forgery(
        f"{SEED_0} is not what its digest says: it was damaged or changed",
        always(pack(unpack(GOOD) | {SEED_0: b"{}"})),
    ),
    # Files whose digests were made to fit.
    "evidence without its end": Forgery(
        "its parts cannot be read (the evidence of seed 0 is not a whole result: it needs a header first and a footer "
        "last; run again)",
        always(edited(SEED_0, lambda data: b"\n".join(data.splitlines()[:-1]) + b"\n")),
    ),
    "another seed": Forgery(
        f"{SEED_0} is of a run with the seed 7", always(edited(SEED_0, replaced(b'"seed":0', b'"seed":7')))
    ),
    "one run twice": Forgery(
        f"{SEED_1} is of a run with the seed 0", always(of_parts(runs=(made.lines(made.run(0)),) * 2))
    ),
    "more passed than there were": Forgery(
        f"{SEED_0} has a footer that does not follow from its records",
        always(edited(SEED_0, replaced(b'"counts":{"passed":', b'"counts":{"passed":9'))),
    ),
    "runs of different checks": Forgery(
        "its two runs do not hold the same checks",
        always(edited(SEED_1, replaced(b"made/CMP-04", b"made/CMP-00"))),
    ),
    "evidence in another spelling": Forgery(
        f"{SEED_0} is not spelled as a run writes it",
        always(edited(SEED_0, replaced(b'"level":"MUST",', b'"level": "MUST",'))),
    ),
    "verdicts that nobody came to": Forgery(
        "its verdicts.json says something that does not follow from the evidence",
        always(edited("verdicts.json", replaced(b'"passed"', b'"failed"'))),
    ),
    "a page of the run that says more": Forgery(
        "its report.html says something that does not follow from the evidence",
        always(edited("report.html", replaced(b"</html>", b"<p>splendid</p></html>"))),
    ),
    "a text that says more": Forgery(
        "its README.md says something that does not follow from the evidence",
        always(edited("README.md", replaced(b"conformant", b"splendid"))),
    ),
    "a catalogue that asks for less": Forgery(
        f"its {CATALOGUE} is not the one of version {made.VERSION}",
        always(edited(CATALOGUE, replaced(b"Measure both", b"Measure one"))),
    ),
    "a profile that asks for less": Forgery(
        f"its profile {LABEL} is not the one that is frozen under that name",
        always(edited("profile.toml", replaced(b'"CMP-03", ', b""))),
    ),
    # What the manifest says.
    "a better outcome": Forgery(
        "its manifest.json says something that does not follow from the evidence",
        always(made.resealed(unpack(made.certified(FAILED)), outcome="conformant", reasons=[])),
    ),
    "another adapter": Forgery(
        f"{SEED_0} {OTHER_RUN} client differs",
        always(said(client=msgspec.to_builtins(msgspec.structs.replace(made.PARTY, name="better")))),
    ),
    "another server": Forgery(
        f"{SEED_0} {OTHER_RUN} server differs",
        always(said(server=msgspec.to_builtins(msgspec.structs.replace(made.PARTY, server_version="17.0")))),
    ),
    "another version of the suite": Forgery(
        f"{SEED_0} {OTHER_RUN} suite_version differs", always(said(suite_version="0.0.9"))
    ),
    "another machine": Forgery(f"{SEED_0} {OTHER_RUN} platform differs", always(said(platform="there"))),
    "another Python": Forgery(f"{SEED_0} {OTHER_RUN} python differs", always(said(python="3.99"))),
    "canaries left out": Forgery("its canaries are not those of its profile", always(said(canaries=[]))),
    "another format": Forgery("it has format 2, this version reads 1", always(said(format=2))),
    "a manifest in another spelling": Forgery(
        "its manifest.json is not spelled as `certify` writes it",
        always(pack(unpack(GOOD) | {MANIFEST: unpack(GOOD)[MANIFEST].rstrip()})),
    ),
    # Runs with other options.
    "a selection": Forgery(
        f"{SEED_0} {OTHER_RUN} selection differs",
        always(made.certified(selection=[f"profile {LABEL}", "topic CMP"])),
    ),
    "stretched time limits": Forgery(
        f"{SEED_0} {OTHER_RUN} timeout_scale differs", always(made.certified(timeout_scale=5.0))
    ),
    "another profile": Forgery(f"{SEED_0} {OTHER_RUN} profile differs", always(made.certified(profile=OTHER_PROFILE))),
    "another catalogue": Forgery(
        f"{SEED_0} {OTHER_RUN} catalogue differs", always(made.certified(catalogue_sha256="0" * 64))
    ),
    "a plugin that meddles": Forgery(
        f"{SEED_0} {CANNOT_BE} it had the plugins pytest-xdist, pytest-sugar, `certify` loads pytest-xdist alone",
        always(made.certified(plugins={"pytest-xdist": "3", "pytest-sugar": "1"})),
    ),
    "another pytest in between": Forgery(
        "its runs were made with different versions of pytest and what belongs to it",
        always(edited(SEED_1, replaced(b'"pytest":"9"', b'"pytest":"8"'))),
    ),
    # Records.
    "a failure that is called passed": Forgery(NO_RECORD, always(of_check(cause=FAILED.cause))),
    "a MUST that only warned": Forgery(
        f"{NO_RECORD}: a MUST was broken, which is a failure", always(made.certified(WARNED))
    ),
    "passed without any call": Forgery(
        f"{NO_RECORD}: it ended as passed without any call", always(of_check(requests=Requests()))
    ),
    "passed without any answer": Forgery(
        f"{NO_RECORD}: it ended as passed without any answer of a client method", always(of_check(codes={}))
    ),
    "passed on an undocumented success": Forgery(
        f"{NO_RECORD}: it passed, and Close gave a success other than NOERROR",
        always(of_check(codes={"Close": [SUCCESS.observed]})),
    ),
    "a method that there is not": Forgery(
        f"{NO_RECORD}: there is no method 'Closed'", always(of_check(codes={"Closed": ["NOERROR"]}))
    ),
    "an answer that is not permitted": Forgery(
        f"{NO_RECORD}: the answer to Q4 is none of those that it calls permitted",
        always(of_check(observations=observed("anything else"))),
    ),
    "calls of which it tells although it passed": Forgery(
        f"{NO_RECORD}: it passed, and tells of a failure", always(of_check(detail="assert False"))
    ),
    # Times.
    "a run of tomorrow": Forgery(
        f"{SEED_0} {CANNOT_BE} it began at {AHEAD} and took 60 s, and it is {made.NOW.isoformat('T', 'seconds')}",
        always(made.certified(started=AHEAD)),
    ),
    "a time that is none": Forgery(
        f"{SEED_0} {CANNOT_BE} it began at 'yesterday', which is no time in UTC",
        always(made.certified(started="yesterday")),
    ),
    "runs at the same time": Forgery(
        "its runs overlap, and `certify` makes one after the other", always(edited(SEED_0, footer(duration=4000.0)))
    ),
    "checks that took longer than the run": Forgery(
        f"{SEED_0} {CANNOT_BE} its checks took longer than 2 workers had", always(edited(SEED_0, footer(duration=0.1)))
    ),
    "a run before it began": Forgery(
        f"{SEED_0} {CANNOT_BE} it took -1 s", always(edited(SEED_0, footer(duration=-1.0)))
    ),
    "older than is asked for": Forgery(
        f"its runs began at {HEADER.started}, more than 30 d ago",
        always(GOOD),
        asked(max_age=30 * DAYS),
    ),
    # Canaries.
    "a whole run for a canary": Forgery(
        f"{CANARY} {OTHER_RUN} selection differs",
        always(of_parts(canaries={one.fault: made.lines(made.run(0)) for one in CANARIES["core"]})),
    ),
    "one canary for another": Forgery(
        f"{CANARY} is of a run of {SECOND.reference}",
        always(with_canary(FIRST.fault, client=msgspec.structs.replace(made.PARTY, reference=SECOND.reference))),
    ),
    "a canary around another library": Forgery(
        f"{CANARY} is of a fault around something else: it was without {made.LIBRARY}",
        always(
            with_canary(FIRST.fault, client=msgspec.structs.replace(party(library=FOREIGN), reference=FIRST.reference))
        ),
    ),
    # Challenges.
    "a replayed run": Forgery(
        f"{SEED_1} {OTHER_RUN} challenge differs", always(of_runs({"challenge": CHALLENGE}, {"challenge": OLDER}))
    ),
    "a replayed canary": Forgery(
        f"{CANARY} {OTHER_RUN} challenge differs", always(with_canary(FIRST.fault, challenge=OLDER))
    ),
    "a challenge that is written over": Forgery(
        f"{SEED_0} {OTHER_RUN} challenge differs",
        always(made.resealed(unpack(made.certified(challenge=OLDER)), challenge=CHALLENGE)),
    ),
    "a replayed certificate": Forgery(
        f"it answers another challenge than {CHALLENGE}: it has {OLDER}",
        always(made.certified(challenge=OLDER)),
        asked(challenge=CHALLENGE),
    ),
    "no answer to a challenge": Forgery(
        f"it answers another challenge than {CHALLENGE}: it has none",
        always(made.certified()),
        asked(challenge=CHALLENGE),
    ),
    "a challenge of another form": Forgery(
        f"{SEED_0} {CANNOT_BE} its challenge is none that a run takes", always(made.certified(challenge="a b"))
    ),
    # What was judged.
    "another library in the second run": Forgery(
        f"{SEED_1} {OTHER_RUN} set of judged files differs", always(of_runs({}, {"client": party(library=FOREIGN)}))
    ),
    "a foreign library's digest in the manifest": Forgery(
        f"{SEED_0} {OTHER_RUN} set of judged files differs",
        always(said(client=msgspec.to_builtins(party(library=FOREIGN)))),
    ),
    "a foreign library": Forgery(
        f"their.so was not judged: none of the files of the adapter has its digest {FOREIGN}",
        always(GOOD),
        asked(digests=[("libmade.so", "b" * 64), ("their.so", FOREIGN)]),
    ),
    "nothing pinned": Forgery(f"{SEED_0} {CANNOT_BE} none of the files of its client is pinned", always(pinning({}))),
    "a library that is not pinned": Forgery(
        f"{SEED_0} {CANNOT_BE} its client has a compiled library that is not pinned: the adapter must name the path of "
        "its file",
        always(pinning({"/a": Pin(kind="adapter", sha256="a" * 64)}, native_abi="com")),
    ),
    "a digest that is none": Forgery(
        f"{SEED_0} {CANNOT_BE} its client has a file whose digest is no SHA-256",
        always(pinning({"/a": Pin(kind="adapter", sha256="A" * 64)})),
    ),
    "pins in another order": Forgery(
        f"{SEED_0} {CANNOT_BE} the files of its client are not in the order of their paths",
        always(pinning(dict(reversed(made.PINS.items())))),
    ),
    # Signatures.
    "unsigned": Forgery("it is not signed at all, and the key {ours} must have signed it", always(GOOD), ours),
    "signed by somebody else": Forgery(
        "the key {ours} has not signed it; those that are named are {theirs}",
        lambda signers: signed(signers.theirs),
        ours,
    ),
    "signed by somebody else by our name": Forgery(
        "its signature by the name of the key {ours} was not made with that key", impersonated, ours
    ),
    "the signature of another certificate": Forgery(
        "its signature.dsse.json is about another certificate", transplanted
    ),
    "the signature of something else": Forgery(
        "its signature.dsse.json holds something other than an in-toto statement",
        resigned(lambda one: msgspec.structs.replace(one, payload_type="text/plain")),
    ),
    "signed by nobody": Forgery(
        "its signature.dsse.json has no signature in it",
        resigned(lambda one: msgspec.structs.replace(one, signatures=[])),
    ),
    "signed twice by one": Forgery(
        "its signature.dsse.json has a key twice, or its keys in another order than that of their ids",
        resigned(lambda one: msgspec.structs.replace(one, signatures=one.signatures * 2)),
    ),
    "signed by very many": Forgery("its signature.dsse.json has more than 16 signatures", resigned(many)),
    "signed by a name": Forgery(
        "its signature.dsse.json names a key otherwise than by the SHA-256 of its public half",
        resigned(by_name(keyid="somebody")),
    ),
    "a signature of another length": Forgery(
        "its signature.dsse.json has a signature that is not 64 bytes long, as those of Ed25519 are",
        resigned(by_name(sig=base64.b64encode(bytes(63)).decode())),
    ),
    "a signature that is no Base64": Forgery(
        "its signature.dsse.json has a signature that is not Base64", resigned(by_name(sig="!"))
    ),
    "a signature in another Base64": Forgery(
        "its signature.dsse.json has a signature that is not Base64 as it is written",
        resigned(by_name(sig=f"{'A' * 85}B==")),
    ),
    "a statement that is no Base64": Forgery(
        "its signature.dsse.json has a statement that is not Base64",
        resigned(lambda one: msgspec.structs.replace(one, payload="!")),
    ),
    "an envelope in another spelling": Forgery("its signature.dsse.json is not spelled as `sign` writes it", respelled),
    "an envelope that is none": Forgery(
        "its signature.dsse.json cannot be read (it ends in the middle of JSON)",
        always(pack(unpack(GOOD) | {SIGNATURE: b""})),
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_it_is_refused_by_its_own_sentence(name: str, signers: Signers) -> None:
    forgery = FORGERIES[name]
    data, demands = forgery.data(signers), forgery.demands(signers)
    with pytest.raises(InvalidCertificate) as refused:
        check_demands(verified(data, made.shipped(), made.NOW), demands, made.NOW + 40 * DAYS)
    ids = {"ours": signers.ours.public.id, "theirs": signers.theirs.public.id}
    assert str(refused.value) == forgery.sentence.format(**ids)


def test_there_are_many_kinds_each_with_a_sentence_of_its_own() -> None:
    assert len({forgery.sentence for forgery in FORGERIES.values()}) == len(FORGERIES) >= 40


def test_nothing_is_wrong_with_what_they_are_made_from(signers: Signers) -> None:
    data = signed(signers.theirs, signed(signers.ours))
    authentic = verified(data, made.shipped(held={LABEL: HELD}), made.NOW)
    keys = [signers.ours.public, signers.theirs.public]
    digests = [(path, pin.sha256) for path, pin in made.PINS.items()]
    check_demands(authentic, Demands(keys, CHALLENGE, 30 * DAYS, digests), made.NOW)
    assert authentic.manifest.outcome == "conformant"
    assert signed(signers.ours, data) == data


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
        verified(GOOD, made.shipped(held={LABEL: held}), made.NOW)
    other = made.shipped("0.2.0", {LABEL: held})
    assert verified(GOOD, other, made.NOW).manifest.outcome == "conformant"


def test_a_frozen_profile_is_known_whatever_the_version_of_the_suite() -> None:
    with pytest.raises(InvalidCertificate, match="not the one that is frozen"):
        verified(edited("profile.toml", replaced(b'"CMP-03", ', b"")), made.shipped("0.2.0"), made.NOW)
