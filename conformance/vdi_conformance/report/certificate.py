"""The certificate of a profile: made from the evidence of its runs, and made again to verify it; pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from vdi_conformance.evidence.files import Evidence, parse
from vdi_conformance.evidence.records import Party, ProfileVersion, Verdict
from vdi_conformance.judgement.scoring import RequirementVerdict, by_requirement, scored_counts, version_of
from vdi_conformance.report.certificate_archive import MANIFEST
from vdi_conformance.report.certificate_readme import readme
from vdi_conformance.report.certification import CANARIES, FORMAT, SEEDS, Canary
from vdi_conformance.report.run_page import run_page
from vdi_conformance.requirements import Catalogue
from vdi_conformance.requirements.profiles import Profile, Standing
from vdi_conformance.requirements.profiles import parse as parse_profile
from vdi_conformance.requirements.reading import TABLES, read
from vdi_conformance.untrusted import decoding

Outcome = Literal["conformant", "not conformant", "incomplete"]
EXIT_CODES: Final[Mapping[Outcome, int]] = {"conformant": 0, "not conformant": 1, "incomplete": 6}
BAD: Final = ("failed", "error", "not tested")
PROFILE: Final = "profile.toml"
VERDICTS: Final = "verdicts.json"
README: Final = "README.md"
PAGE: Final = "report.html"


class Both(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The verdicts of one requirement, seed by seed."""

    id: str
    level: str
    standing: Standing
    verdicts: list[Verdict]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a certificate is about, how it came out and why, and the digests of its other files but the signature.

    `warned` are the scored requirements that should hold and did not; `started` is when the first run began;
    `challenge` is what whoever asked for the certificate had chosen, or empty.
    """

    format: int
    outcome: Outcome
    reasons: list[str]
    warned: list[str]
    challenge: str
    started: str
    suite_version: str
    catalogue_sha256: str
    profile: ProfileVersion
    client: Party
    server: Party
    platform: str
    python: str
    seeds: list[int]
    canaries: list[str]
    files: dict[str, str]


def manifest_schema() -> dict[str, Any]:
    """Give the published JSON Schema of a manifest."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"The manifest of a certificate of vdi-conformance, format {FORMAT}",
        **msgspec.json.schema(Manifest),
    }


@dataclass(frozen=True)
class Parts:
    """What a certificate is made from: the data files of catalogue and profile, and the evidence, as bytes.

    `canaries` are by the names of faults; there are none for an adapter that no fault can be put around.
    """

    tables: Mapping[str, bytes]
    profile: bytes
    runs: tuple[bytes, ...]
    canaries: Mapping[str, bytes]

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the certificate that hold them."""
        return {
            PROFILE: self.profile,
            **{f"catalogue/{name}": data for name, data in self.tables.items()},
            **{f"evidence/seed-{seed}.jsonl": data for seed, data in zip(SEEDS, self.runs, strict=True)},
            **{f"canaries/{fault}.jsonl": data for fault, data in self.canaries.items()},
        }


@dataclass(frozen=True)
class Found:
    """The parts of a certificate, read."""

    catalogue: Catalogue
    profile: Profile
    runs: tuple[Evidence, ...]
    canaries: tuple[tuple[Canary, Evidence], ...]


def understood(parts: Parts) -> Found:
    """Read the parts; what cannot be read is a ValueError."""
    catalogue = read({name: decoding.text(parts.tables[name]) for name in TABLES})
    profile = parse_profile(parts.profile, PROFILE)
    canaries = tuple(one for one in CANARIES.get(profile.name, ()) if one.fault in parts.canaries)
    return Found(
        catalogue,
        profile,
        tuple(parse(data, f"the evidence of seed {seed}") for seed, data in zip(SEEDS, parts.runs, strict=True)),
        tuple((one, parse(parts.canaries[one.fault], f"the evidence of {one.fault}")) for one in canaries),
    )


def certificate(parts: Parts) -> dict[str, bytes]:
    """Make all files of a certificate from its parts."""
    found = understood(parts)
    header = found.runs[0].header
    requirements = verdicts(found)
    reasons = shortcomings(found, requirements)
    manifest = Manifest(
        format=FORMAT,
        outcome=outcome(found, reasons),
        reasons=reasons,
        warned=[one.id for one in requirements if one.standing == "scored" and "warning" in one.verdicts],
        challenge=header.challenge,
        started=header.started,
        suite_version=header.suite_version,
        catalogue_sha256=header.catalogue_sha256,
        profile=version_of(found.profile),
        client=header.client,
        server=header.server,
        platform=header.platform,
        python=header.python,
        seeds=list(SEEDS),
        canaries=[one.fault for one, _ in found.canaries],
        files={},
    )
    files = {
        **parts.files,
        VERDICTS: encoded(requirements),
        README: readme(manifest.outcome, [*reasons, *_unmet(manifest.warned)], found.profile, header).encode(
            "utf-8", "replace"
        ),
    }
    files[PAGE] = run_page(found.runs[0]).encode("utf-8", "replace")
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    return {MANIFEST: encoded(msgspec.structs.replace(manifest, files=digests)), **files}


def _unmet(warned: Sequence[str]) -> list[str]:
    return [f"not met, though they should be: {', '.join(warned)}"] if warned else []


def verdicts(found: Found) -> list[Both]:
    """Give the verdicts of every requirement of the profile, in both runs."""
    runs = [_judged(found, run) for run in found.runs]
    return [
        Both(
            id=requirement.id,
            level=requirement.level,
            standing=requirement.standing,
            verdicts=[run[index].verdict for run in runs],
        )
        for index, requirement in enumerate(runs[0])
    ]


def _judged(found: Found, run: Evidence) -> tuple[RequirementVerdict, ...]:
    return by_requirement(found.profile, found.catalogue.requirements, run.header.client, run.checks)


def shortcomings(found: Found, requirements: Sequence[Both]) -> list[str]:
    """Say in a sentence each why the implementation cannot be called conformant; none where it can."""
    scored = [requirement for requirement in requirements if requirement.standing == "scored"]
    named = {verdict: [requirement.id for requirement in scored if verdict in requirement.verdicts] for verdict in BAD}
    named["the seeds disagree"] = [requirement.id for requirement in scored if len(set(requirement.verdicts)) > 1]
    said = [f"{what}: {', '.join(ids)}" for what, ids in named.items() if ids]
    if any(not check.requirements for run in found.runs for check in run.checks):
        said.append("a check ended in error before it was known what it judges")
    said += [f"the fault {one.fault} was not found" for one, run in found.canaries if not _red(found, one, run)]
    return said


def _red(found: Found, canary: Canary, run: Evidence) -> bool:
    return any(
        requirement.id == canary.requirement and requirement.verdict == "failed" for requirement in _judged(found, run)
    )


def outcome(found: Found, reasons: Sequence[str]) -> Outcome:
    """Tell how the whole came out: not conformant where a scored requirement failed, incomplete with other reasons."""
    if any(scored_counts(_judged(found, run), run.checks).get("failed") for run in found.runs):
        return "not conformant"
    return "incomplete" if reasons else "conformant"


def encoded(value: object) -> bytes:
    """Give a file of JSON as `certify` writes it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
