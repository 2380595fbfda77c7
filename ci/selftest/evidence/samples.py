"""A small whole run."""

from vdi_conformance.evidence.records import Cause, CheckRecord, Footer, Header, KnownFailure, Party

PARTY = Party(reference="emulator", name="emulator", version="1")
HEADER = Header(
    suite_version="1",
    catalogue_sha256="0" * 64,
    client=PARTY,
    server=PARTY,
    platform="here",
    python="3.11",
    tools={"hypothesis": "6", "msgspec": "0", "pytest": "9", "pytest-xdist": "3"},
    plugins={"pytest-xdist": "3"},
    seed=0,
    timeout_scale=1.0,
    selection=[],
    started="2026-01-01T00:00:00+00:00",
)
FOOTER = Footer(counts={"passed": 1}, exit_code=0, duration=1.0)
CHECK = CheckRecord(id="a/b", node="a::b", requirements=["GBH-01"], level="MUST", verdict="passed", duration=0.1)
KNOWN = CheckRecord(
    id="a/c",
    node="a::c",
    requirements=["GBH-01"],
    level="MUST",
    verdict="known failure",
    duration=0.1,
    cause=Cause(kind="code", sentence="it gave NOERROR", expected=["VD_E_INVALID"], observed="NOERROR"),
    known=KnownFailure(entry="GBH-01", reason="r", issue="i", fault="adapter"),
)
