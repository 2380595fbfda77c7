"""Versions of the host protocol and of the contract: what is accepted, and what a refusal says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from vdi_conformance.adapters import resolve
from vdi_conformance.cli.skeletons import TEMPLATES
from vdi_conformance.contract import CONTRACT_VERSION
from vdi_conformance.host import errors
from vdi_conformance.host.child import entry
from vdi_conformance.host.child.dispatch import DispatchedCall
from vdi_conformance.host.child.session import Session
from vdi_conformance.host.codes import PROTOCOL_VERSION, Refused
from vdi_conformance.host.messages import client
from vdi_conformance.versions import Version, read_version
from vdi_fixtures.hosts import manifest

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from vdi_conformance.host.supervisor import Supervisor

OLDER = Version(CONTRACT_VERSION.major - 1, 7)
NEWER = Version(CONTRACT_VERSION.major + 1, 0)
NEWER_MINOR = Version(CONTRACT_VERSION.major, CONTRACT_VERSION.minor + 1)


NO_VERSIONS = ("2", "2.", "02.0", "2.0.1", "2.0\n", " 2.0", "v2.0", "٢.0", "9999999.0", "", None, True, -1, 2.0, 10**9)
SAID: list[tuple[object, Version | None]] = [
    ("2.0", Version(2, 0)),
    ("10.12", Version(10, 12)),
    (1, Version(1, 0)),
    *((said, None) for said in NO_VERSIONS),
]


@pytest.mark.parametrize(("said", "version"), SAID)
def test_what_is_a_version(said: object, version: Version | None) -> None:
    assert read_version(said) == version


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        (
            "claims_a_version_without_minors",
            r"it speaks 1\.0\): bring the host up to 2\.0.*CHANGELOG.*speaks version 1$",
        ),
        ("reads_no_minors", r"must be a whole number\): use a host and a suite that speak the same major version"),
        ("claims_an_unknown_protocol", r"it speaks 999\.0\): install a vdi-conformance that speaks version 999, or"),
    ],
)
def test_a_host_of_another_major_is_refused_with_a_remedy(
    supervisor: Supervisor, tmp_path: Path, host: str, sentence: str
) -> None:
    launched = supervisor.launch(resolve(manifest(host, tmp_path)), name="primary")
    with pytest.raises(errors.UnknownProtocol, match=rf"does not speak version 2\.0 .*{sentence}"):
        _ = launched.initialized


def test_a_host_of_a_newer_minor_works_and_what_is_new_is_ignored(supervisor: Supervisor, tmp_path: Path) -> None:
    host = supervisor.launch(resolve(manifest("speaks_a_newer_minor", tmp_path)))
    assert read_version(host.initialized.protocol) == (PROTOCOL_VERSION.major, PROTOCOL_VERSION.minor + 1)
    assert host.initialized.capabilities == {"named_instances": True}
    host.call(client.NewSet(set="s"))


def initialize(protocol: object, target: str = "selftest.host.toy:Toy") -> dict[str, Any]:
    """Ask our own host, in this process."""
    environment = {"directory": os.curdir, "seed": 0, "time_scale": 1.0}
    asked = {"protocol": protocol, "role": "client", "environment": environment}
    session = Session(target, False, lambda _: None, lambda _: None)
    return entry.METHODS.perform(session, DispatchedCall(1, "initialize", None, asked))


def test_our_own_host_answers_a_newer_minor_with_its_own() -> None:
    assert initialize(f"{PROTOCOL_VERSION.major}.{PROTOCOL_VERSION.minor + 1}")["protocol"] == str(PROTOCOL_VERSION)


@pytest.mark.parametrize("protocol", [1, "1.4", "3.0"])
def test_our_own_host_refuses_a_suite_of_another_major(protocol: object) -> None:
    with pytest.raises(Refused, match=rf"this host speaks version {PROTOCOL_VERSION} of the protocol, not"):
        initialize(protocol)


def adapter(directory: Path, version: object) -> str:
    """Write an adapter that says for which version of the contract it was written."""
    path = directory / "adapter.py"
    path.write_text(f"from selftest.host import toy\n\nclass Mine(toy.Toy):\n    contract_version = {version!r}\n")
    return f"{path}:Mine"


@pytest.mark.parametrize("version", [CONTRACT_VERSION, NEWER_MINOR])
def test_an_adapter_of_the_same_major_is_accepted(tmp_path: Path, version: Version) -> None:
    assert initialize(str(PROTOCOL_VERSION), adapter(tmp_path, str(version)))["identity"]["name"] == "toy"


@pytest.mark.parametrize(
    ("version", "remedy"),
    [(OLDER, "bring the adapter up to date"), (NEWER, f"install a vdi-conformance that has version {NEWER.major}")],
)
def test_an_adapter_of_another_major_is_refused_with_a_remedy(tmp_path: Path, version: Version, remedy: str) -> None:
    sentence = f"was written for version {version} of the contract, and this suite has {CONTRACT_VERSION}: {remedy}"
    with pytest.raises(Refused, match=sentence):
        initialize(str(PROTOCOL_VERSION), adapter(tmp_path, str(version)))


def test_a_contract_version_that_is_none_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"contract_version of .* must be a version such as"):
        initialize(str(PROTOCOL_VERSION), adapter(tmp_path, "newest"))


def test_the_template_names_the_contract_that_it_was_written_for() -> None:
    text = (TEMPLATES / "python" / "adapter.py").read_text(encoding="utf-8")
    assert f'contract_version = "{CONTRACT_VERSION}"' in text
