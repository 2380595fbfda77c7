"""What a signature on a certificate says: an in-toto statement with a test result, as its bytes; pure."""

import hashlib
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from vdi_conformance.report.certificate import PROFILE, Both, Manifest
from vdi_conformance.report.certificate_archive import MANIFEST

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"
Result = Literal["PASSED", "WARNED", "FAILED"]


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ResourceDescriptor of in-toto."""

    name: str
    uri: str = ""
    digest: dict[str, str] = {}
    annotations: dict[str, str] = {}


class TestResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The predicate: how the tests came out, where a test is a scored requirement of the profile, and what it went by.

    What was not tested is in no list, and makes the result FAILED.
    """

    __test__ = False

    result: Result
    configuration: list[Resource]
    passed_tests: list[str]
    warned_tests: list[str]
    failed_tests: list[str]


class TestResultStatement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The statement; its subjects are the manifest, and the files that were judged."""

    __test__ = False

    type_: str = msgspec.field(name="_type", default=STATEMENT_TYPE)
    subject: list[Resource]
    predicate_type: str = PREDICATE_TYPE
    predicate: TestResult


def statement(manifest: Manifest, manifest_file: bytes, requirements: Sequence[Both]) -> bytes:
    """State how the certificate came out whose manifest is given, as a value and as its file."""
    scored = [requirement for requirement in requirements if requirement.standing == "scored"]
    failed = [one.id for one in scored if "failed" in one.verdicts]
    warned = [one.id for one in scored if "warning" in one.verdicts and one.id not in failed]
    passed = [one.id for one in scored if set(one.verdicts) == {"passed"}]
    told = {"outcome": manifest.outcome, "started": manifest.started, "challenge": manifest.challenge}
    certificate = Resource(name=MANIFEST, digest=_digest(hashlib.sha256(manifest_file).hexdigest()), annotations=told)
    judged = [Resource(name=path, digest=_digest(pin.sha256)) for path, pin in manifest.client.pins.items()]
    result = TestResult(
        result="FAILED" if manifest.outcome != "conformant" else "WARNED" if warned else "PASSED",
        configuration=_configuration(manifest),
        passed_tests=passed,
        warned_tests=warned,
        failed_tests=failed,
    )
    return msgspec.json.encode(TestResultStatement(subject=[certificate, *judged], predicate=result))


def _configuration(manifest: Manifest) -> list[Resource]:
    suite = f"pkg:pypi/vdi-conformance@{manifest.suite_version}"
    profile = Resource(
        name=PROFILE, digest=_digest(manifest.profile.sha256), annotations={"profile": manifest.profile.label}
    )
    catalogue = [
        Resource(name=name, digest=_digest(sha256))
        for name, sha256 in manifest.files.items()
        if name.startswith("catalogue/")
    ]
    return [Resource(name="vdi-conformance", uri=suite), profile, *catalogue]


def _digest(sha256: str) -> dict[str, str]:
    return {"sha256": sha256}
