"""Certificates of runs that never happened, and ways to forge them."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final

import msgspec

from selftest.evidence.samples import FOOTER, HEADER
from selftest.report.made import check
from vdi_conformance.contract import Capabilities
from vdi_conformance.evidence.files import Evidence, written
from vdi_conformance.evidence.records import CheckRecord, Pin, Requests
from vdi_conformance.judgement.exit_codes import exit_code
from vdi_conformance.judgement.scoring import by_requirement, scored_counts, version_of
from vdi_conformance.report.certificate import Parts, certificate, encoded
from vdi_conformance.report.certificate_archive import MANIFEST, pack
from vdi_conformance.report.certificate_verification import Held, Shipped
from vdi_conformance.report.certification import CANARIES, SEEDS, Canary
from vdi_conformance.requirements import catalogue
from vdi_conformance.requirements.profiles import Profile, profile, texts
from vdi_conformance.requirements.reading import TABLES

DATA: Final = files("vdi_conformance.requirements") / "data"
TABLE_BYTES: Final = {name: (DATA / name).read_bytes() for name in TABLES}
VERSION: Final = "0.1.0"
LIBRARY: Final = "/opt/made/libmade.so"
PINS: Final = {
    "/opt/made/adapter.py": Pin(kind="adapter", sha256="a" * 64),
    LIBRARY: Pin(kind="library", sha256="b" * 64),
}
PARTY: Final = msgspec.structs.replace(
    HEADER.client, capabilities=Capabilities(server="scripted").to_mapping(), pins=PINS
)
NOW: Final = datetime.fromisoformat(HEADER.started) + timedelta(days=1)
"""When these certificates are verified, unless a test says otherwise."""
SECONDS: Final = 60.0
CODES: Final = {"CreateEx": ["NOERROR"], "GetConfiguration": ["VD_E_TIMEOUT", "HRESULT_FROM_WIN32(14)", "0x8000FFFF"]}
Change = Callable[[Evidence], Evidence]


def core() -> Profile:
    return profile("core")


def checks() -> list[CheckRecord]:
    """One check that passed for each requirement of the core."""
    found = [check(f"made/{requirement}", requirements=(requirement,)) for requirement in sorted(core().scored)]
    levels = {requirement.id: requirement.level for requirement in catalogue().requirements}
    return [called(msgspec.structs.replace(one, level=levels[one.requirements[0]])) for one in found]


def called(check: CheckRecord) -> CheckRecord:
    """The record of a check that has called something."""
    return msgspec.structs.replace(check, codes=CODES, requests=Requests(client=3, statements=1))


def run(seed: int, given: list[CheckRecord] | None = None, selected: Collection[str] = (), **header: Any) -> Evidence:
    """A whole run of the core, whose footer fits."""
    held = checks() if given is None else given
    head = msgspec.structs.replace(
        HEADER,
        suite_version=VERSION,
        client=PARTY,
        server=PARTY,
        catalogue_sha256=hashlib.sha256(TABLE_BYTES["requirements.tsv"]).hexdigest(),
        profile=version_of(core()),
        seed=seed,
        timeout_scale=1.0,
        selection=[f"profile {core().label}", *selected],
    )
    head = msgspec.structs.replace(head, **header)
    counts = {one.verdict: sum(1 for other in held if other.verdict == one.verdict) for one in held}
    requirements = by_requirement(core(), catalogue().requirements, head.client, held)
    footer = msgspec.structs.replace(
        FOOTER,
        counts=counts,
        complaints=[],
        duration=SECONDS,
        exit_code=exit_code(scored_counts(requirements, held), 0),
    )
    return Evidence(head, tuple(held), footer)


def canary(one: Canary, verdict: Any = "failed", **header: Any) -> Evidence:
    """A run in which that fault was found."""
    client = msgspec.structs.replace(PARTY, reference=one.reference)
    found = [called(check(f"made/{one.requirement}", verdict, requirements=(one.requirement,)))]
    return run(0, found, [f"requirement {one.requirement}"], **({"client": client} | header))


def lines(evidence: Evidence) -> bytes:
    """What a run writes."""
    return written(evidence)


def parts(**changed: Any) -> Parts:
    """The parts of a certificate that is in order, but for what is changed."""
    made: dict[str, Any] = {
        "tables": TABLE_BYTES,
        "profile": texts()[core().label],
        "runs": tuple(lines(run(seed)) for seed in SEEDS),
        "canaries": {one.fault: lines(canary(one)) for one in CANARIES["core"]},
    }
    return Parts(**(made | changed))


def certified(*records: CheckRecord, **header: Any) -> bytes:
    """A certificate of runs with some checks otherwise, all of which have another header."""
    others = {one.id: one for one in checks()} | {one.id: one for one in records}
    runs = tuple(lines(run(seed, [*others.values()], **header)) for seed in SEEDS)
    everywhere = {name: value for name, value in header.items() if name in ("challenge", "started")}
    canaries = {one.fault: lines(canary(one, **everywhere)) for one in CANARIES["core"]}
    return pack(certificate(parts(runs=runs, canaries=canaries)))


def shipped(version: str = VERSION, held: Mapping[str, Mapping[str, Held]] | None = None) -> Shipped:
    """The suite that verifies."""
    return Shipped(version, TABLE_BYTES, texts(), held or {})


def forged(name: str, change: Callable[[bytes], bytes], made: Parts | None = None) -> bytes:
    """A certificate of which one file was changed, its digest with it."""
    held = certificate(made or parts())
    held[name] = change(held[name])
    return resealed(held)


def resealed(held: dict[str, bytes], **said: Any) -> bytes:
    """Pack files with a manifest whose digests are theirs."""
    manifest = msgspec.json.decode(held.pop(MANIFEST)) | said
    manifest["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(held.items())}
    return pack({MANIFEST: encoded(manifest), **held})
