"""Verifies a certificate: its parts belong together, come from whole runs with the fixed options, and say so; pure."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import CheckRecord, Header, Party, PinKind
from vdi_conformance.judgement.exit_codes import exit_code
from vdi_conformance.judgement.scoring import by_requirement, scored_counts
from vdi_conformance.report.certificate import (
    PAGE,
    PROFILE,
    README,
    VERDICTS,
    Found,
    Manifest,
    Parts,
    certificate,
    encoded,
    understood,
    verdicts,
)
from vdi_conformance.report.certificate_archive import MANIFEST, SIGNATURE, InvalidCertificate, pack, unpack
from vdi_conformance.report.certificate_plausibility import check_order, check_run
from vdi_conformance.report.certificate_statement import statement
from vdi_conformance.report.certification import CANARIES, FORMAT, SEEDS, TIMEOUT_SCALE
from vdi_conformance.requirements.reading import TABLES
from vdi_conformance.signing.envelope import Envelope, InvalidEnvelope, envelope_of, parse, written
from vdi_conformance.untrusted import decoding

BROUGHT: Final[tuple[PinKind, ...]] = ("library", "adapter")
"""Kinds of files that a fault has around it too."""


class Held(NamedTuple):
    """A check as evidence holds it: where pytest found it, and the requirements that it judges."""

    node: str
    requirements: tuple[str, ...]


@dataclass(frozen=True)
class Shipped:
    """What the installed suite has: its version, the data files, every profile by its label, and checks of a profile.

    `checks` are those that a run of the certificate's profile holds, by their ids; empty where they are not known.
    """

    version: str
    tables: Mapping[str, bytes]
    profiles: Mapping[str, bytes]
    checks: Mapping[str, Mapping[str, Held]]


@dataclass(frozen=True)
class Authentic:
    """A certificate that is what it says: its files, what these say, and the statement that a signature is about.

    `envelope` has that statement and those who are said to have signed it; None where nobody did.
    """

    files: Mapping[str, bytes]
    manifest: Manifest
    found: Found
    statement: bytes
    envelope: Envelope | None

    def signed(self, by: Callable[[Envelope], Envelope]) -> bytes:
        """Give the archive with one signature more."""
        return pack({**self.files, SIGNATURE: written(by(self.envelope or envelope_of(self.statement)))})


def verified(data: bytes, shipped: Shipped, now: datetime) -> Authentic:
    """Read a certificate that is what it says, or raise InvalidCertificate with one sentence.

    `now` is the time, in a zone that it names: no run of a certificate can have begun later. Signatures are read, and
    what they are about must be this certificate; by whom they are is not asked.
    """
    whole = unpack(data)
    files = dict(whole)
    signature = files.pop(SIGNATURE, None)
    said = files.pop(MANIFEST, b"")
    try:
        manifest = decoding.json(said, msgspec.json.Decoder(Manifest))
    except decoding.Unreadable as error:
        raise InvalidCertificate(f"its {MANIFEST} is missing or cannot be read ({error})") from error
    if manifest.format != FORMAT:
        raise InvalidCertificate(f"it has format {manifest.format}, this version reads {FORMAT}")
    _check_digests(manifest, files)
    parts = _parts(files)
    try:
        found = understood(parts)
    except (ValueError, KeyError) as error:
        raise InvalidCertificate(f"its parts cannot be read ({error})") from error
    _check_shipped(manifest, parts, shipped)
    _check_runs(manifest, parts, found, now)
    _check_held(manifest, found, shipped)
    _check_canaries(manifest, parts, found, now)
    check_order(found)
    _check_statements(manifest, files, parts, manifest.suite_version == shipped.version)
    if encoded(manifest) != said:
        raise InvalidCertificate(f"its {MANIFEST} is not spelled as `certify` writes it")
    stated = statement(manifest, said, verdicts(found))
    return Authentic(whole, manifest, found, stated, None if signature is None else _envelope(signature, stated))


def _envelope(data: bytes, stated: bytes) -> Envelope:
    """Read the signatures; what they are about must be the statement that follows from the certificate."""
    try:
        envelope = parse(data)
    except InvalidEnvelope as error:
        raise InvalidCertificate(f"its {SIGNATURE} {error}") from error
    if envelope.content != stated:
        raise InvalidCertificate(f"its {SIGNATURE} is about another certificate")
    return envelope


def _check_digests(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    if missing := sorted(manifest.files.keys() - files.keys()):
        raise InvalidCertificate(f"{missing[0]} is missing")
    if added := sorted(files.keys() - manifest.files.keys()):
        raise InvalidCertificate(f"{added[0]} does not belong to it")
    for name, data in files.items():
        if hashlib.sha256(data).hexdigest() != manifest.files[name]:
            raise InvalidCertificate(f"{name} is not what its digest says: it was damaged or changed")


def _parts(files: Mapping[str, bytes]) -> Parts:
    """Find the parts among the files, each under its own name."""
    faults = {one.fault for canaries in CANARIES.values() for one in canaries}
    try:
        parts = Parts(
            tables={name: files[f"catalogue/{name}"] for name in TABLES},
            profile=files[PROFILE],
            runs=tuple(files[f"evidence/seed-{seed}.jsonl"] for seed in SEEDS),
            canaries={fault: files[name] for fault in sorted(faults) if (name := f"canaries/{fault}.jsonl") in files},
        )
    except KeyError as error:
        raise InvalidCertificate(f"{error.args[0]} is missing") from error
    if added := sorted(files.keys() - parts.files.keys() - {VERDICTS, README, PAGE}):
        raise InvalidCertificate(f"{added[0]} does not belong to it")
    return parts


def _check_shipped(manifest: Manifest, parts: Parts, shipped: Shipped) -> None:
    """Hold catalogue and profile against the installed ones, where those are known to be the same."""
    label = manifest.profile.label
    if label in shipped.profiles and shipped.profiles[label] != parts.profile:
        raise InvalidCertificate(f"its profile {label} is not the one that is frozen under that name")
    if manifest.suite_version != shipped.version:
        return
    if label not in shipped.profiles:
        raise InvalidCertificate(f"version {shipped.version} of the suite has no profile {label}")
    for name, data in parts.tables.items():
        if data != shipped.tables[name]:
            raise InvalidCertificate(f"its catalogue/{name} is not the one of version {shipped.version}")


def _check_runs(manifest: Manifest, parts: Parts, found: Found, now: datetime) -> None:
    for seed, data, run in zip(SEEDS, parts.runs, found.runs, strict=True):
        name = f"evidence/seed-{seed}.jsonl"
        if run.header.seed != seed:
            raise InvalidCertificate(f"{name} is of a run with the seed {run.header.seed}")
        _check_header(name, manifest, found, run.header, [])
        _check_records(name, found, run)
        check_run(name, data, found, run, now)


def _check_held(manifest: Manifest, found: Found, shipped: Shipped) -> None:
    """Hold the checks of all runs against each other, and against those of the suite where it is of this version."""
    held = [_held(run) for run in found.runs]
    if held[0] != held[1]:
        raise InvalidCertificate("its two runs do not hold the same checks")
    wanted = shipped.checks.get(found.profile.label) if manifest.suite_version == shipped.version else None
    if wanted is None:
        return
    if differing := sorted(wanted.keys() ^ held[0].keys()):
        lack = "lacks" if differing[0] in wanted else "has"
        raise InvalidCertificate(
            f"its evidence {lack} the check {differing[0]}, unlike version {shipped.version} of the suite"
        )
    for run in (*found.runs, *(run for _, run in found.canaries)):
        for id_, one in _held(run).items():
            # What is recorded of a lost worker does not say what it was judging.
            if id_ not in wanted or one not in (wanted[id_], Held(wanted[id_].node, ())):
                raise InvalidCertificate(f"{id_} is another check in version {shipped.version} of the suite")


def _held(run: Evidence) -> dict[str, Held]:
    return {check.id: Held(check.node, tuple(check.requirements)) for check in run.checks}


def _check_canaries(manifest: Manifest, parts: Parts, found: Found, now: datetime) -> None:
    # A fault cannot be put around a host program, which a manifest names.
    expected = [one.fault for one in CANARIES.get(found.profile.name, ())]
    none = [] if manifest.client.reference.endswith(".toml") else expected
    if manifest.canaries not in (none, expected) or [one.fault for one, _ in found.canaries] != manifest.canaries:
        raise InvalidCertificate("its canaries are not those of its profile")
    for one, run in found.canaries:
        name = f"canaries/{one.fault}.jsonl"
        _check_header(name, manifest, found, run.header, [f"requirement {one.requirement}"])
        _check_records(name, found, run)
        check_run(name, parts.canaries[one.fault], found, run, now)
        if run.header.client.reference != one.reference:
            raise InvalidCertificate(f"{name} is of a run of {run.header.client.reference}")
        had = {pin.sha256 for pin in run.header.client.pins.values()}
        lacking = [path for path, pin in manifest.client.pins.items() if pin.kind in BROUGHT and pin.sha256 not in had]
        if lacking:
            raise InvalidCertificate(f"{name} is of a fault around something else: it was without {lacking[0]}")


def _check_header(name: str, manifest: Manifest, found: Found, header: Header, selected: list[str]) -> None:
    """Hold the options of a run against the fixed ones, and what it says of itself against the manifest."""
    fixed: dict[str, tuple[object, object]] = {
        "selection": (header.selection, [f"profile {found.profile.label}", *selected]),
        "timeout_scale": (header.timeout_scale, TIMEOUT_SCALE),
        "suite_version": (header.suite_version, manifest.suite_version),
        "catalogue_sha256": (header.catalogue_sha256, manifest.catalogue_sha256),
        "catalogue": (manifest.files["catalogue/requirements.tsv"], manifest.catalogue_sha256),
        "profile": (header.profile, manifest.profile),
        "profile.toml": (
            (found.profile.label, found.profile.sha256),
            (manifest.profile.label, manifest.profile.sha256),
        ),
        "challenge": (header.challenge, manifest.challenge),
        "platform": (header.platform, manifest.platform),
        "python": (header.python, manifest.python),
    }
    if not selected:
        pins = [(party.pins, said.pins) for party, said in _parties(header, manifest)]
        fixed["set of judged files"] = ([one for one, _ in pins], [other for _, other in pins])
        fixed |= {"client": (header.client, manifest.client), "server": (header.server, manifest.server)}
    for what, (is_, should) in fixed.items():
        if is_ != should:
            raise InvalidCertificate(f"{name} is of another run than a certificate asks for: its {what} differs")


def _parties(header: Header, manifest: Manifest) -> list[tuple[Party, Party]]:
    return [(header.client, manifest.client), (header.server, manifest.server)]


def _check_records(name: str, found: Found, run: Evidence) -> None:
    """Hold every record against the catalogue and the profile, and the footer against the records."""
    levels = {requirement.id: requirement for requirement in found.catalogue.requirements}
    for check in run.checks:
        requirements = [levels[id_] for id_ in check.requirements if id_ in levels]
        consistent = (
            len(requirements) == len(check.requirements)
            and found.profile.selects(requirements)
            and check.level == (requirements[0].level if requirements else check.level)
            and _consistent(check)
        )
        if not consistent:
            raise InvalidCertificate(f"{name} has a record of {check.id} that no run leaves")
    counts = Counter[str](check.verdict for check in run.checks)
    deciding = scored_counts(
        by_requirement(found.profile, found.catalogue.requirements, run.header.client, run.checks), run.checks
    )
    if run.footer.counts != counts or run.footer.complaints or run.footer.exit_code != exit_code(deciding, 0):
        raise InvalidCertificate(f"{name} has a footer that does not follow from its records")


def _consistent(check: CheckRecord) -> bool:
    """Whether its verdict goes with its cause; no certificate has a baseline."""
    if (
        check.verdict == "known failure"
        or check.known is not None
        or not (check.requirements or check.verdict == "error")
    ):
        return False
    return (check.verdict == "passed") == (check.cause is None)


def _check_statements(manifest: Manifest, files: Mapping[str, bytes], parts: Parts, same_version: bool) -> None:
    """Hold what the certificate says against what follows from its parts; texts only where this version wrote them."""
    made = certificate(parts)
    again = msgspec.json.decode(made[MANIFEST], type=Manifest)
    if msgspec.structs.replace(again, files={}) != msgspec.structs.replace(manifest, files={}):
        raise InvalidCertificate(f"its {MANIFEST} says something that does not follow from the evidence")
    if files.get(VERDICTS) != made[VERDICTS]:
        raise InvalidCertificate(f"its {VERDICTS} says something that does not follow from the evidence")
    for name in (README, PAGE) if same_version else ():
        if files.get(name) != made[name]:
            raise InvalidCertificate(f"its {name} says something that does not follow from the evidence")
