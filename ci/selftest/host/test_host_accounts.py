"""Hosts under other accounts than the run's: what they are, what they may, and why there may be none."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vdi_conformance.adapters import resolve
from vdi_conformance.harness import other_accounts
from vdi_conformance.host.credentials import Credentials
from vdi_conformance.host.messages.client import NewSet
from vdi_conformance.host.messages.memory import AllocateMemory, DigestMemory
from vdi_conformance.host.spec import AdapterSpec

if TYPE_CHECKING:
    from vdi_conformance.host.supervisor import Supervisor

NOBODY = Credentials(65534, 65533, (0, 65532))
EMULATOR = resolve("emulator")

as_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can start processes under other accounts"
)


def _status(pid: int | None) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return {name: value.split() for name, _, value in (line.partition(":") for line in lines)}


@as_root
def test_a_host_has_its_account_and_no_rights_of_root(supervisor: Supervisor) -> None:
    host = supervisor.launch(replace(EMULATOR, credentials=NOBODY), "client")
    assert host.initialized.identity.name == "emulator"
    status = _status(host.pid)
    assert set(status["Uid"]) == {"65534"}
    assert set(status["Gid"]) == {"65533"}
    assert sorted(status["Groups"]) == ["0", "65532"]
    assert int(status["CapEff"][0], 16) == int(status["CapPrm"][0], 16) == 0


@as_root
def test_a_host_uses_memory_under_its_account(supervisor: Supervisor) -> None:
    host = supervisor.launch(replace(EMULATOR, credentials=NOBODY), "client")
    address = host.call(AllocateMemory(size=4096)).address
    assert host.call(DigestMemory(address=address, size=4096)).sha256


@as_root
def test_a_program_is_started_under_its_account(supervisor: Supervisor) -> None:
    argv = ("/bin/sh", "-c", "echo $(id -u) $(id -g) >&2")
    spec = AdapterSpec("sh", "command", "sh", argv=argv, cwd="/", credentials=NOBODY)
    ended = supervisor.launch(spec, "client").wait_until_ended()
    assert ended.stderr.split() == ["65534", "65533"]


@as_root
def test_a_host_of_another_account_ends_with_the_others(supervisor: Supervisor) -> None:
    host = supervisor.launch(replace(EMULATOR, credentials=NOBODY), "client")
    _ = host.initialized
    host.kill()
    assert host.wait_until_ended().signal == 9


@as_root
def test_a_closed_directory_lets_in_the_group_alone(tmp_path: Path) -> None:
    other_accounts.let_in(NOBODY, str(tmp_path))
    found = tmp_path.stat()
    assert (found.st_gid, stat.S_IMODE(found.st_mode)) == (65533, 0o710)


@as_root
def test_an_emulator_that_cannot_be_reached_denies_access(supervisor: Supervisor) -> None:
    host = supervisor.launch(replace(EMULATOR, credentials=NOBODY), "client")
    _ = host.initialized
    host.call(NewSet(set="set"))  # the private directory is closed to it, and that is no error of the adapter


@pytest.mark.skipif(sys.platform == "win32", reason="there is another reason on Windows")
def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    reason = other_accounts.obstacle(EMULATOR, str(tmp_path))
    assert reason == ("only root can start processes under other accounts: run the suite as root, best in a container")


@as_root
def test_a_place_that_nobody_may_enter_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    reason = other_accounts.obstacle(EMULATOR, str(closed / "run"))
    assert reason is not None
    assert "let TMPDIR name another place" in reason


@as_root
def test_a_program_that_nobody_may_reach_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    reached, hidden = (
        AdapterSpec("host", "command", "host", argv=(str(place / "host"),)) for place in (Path("/"), closed)
    )
    assert other_accounts.obstacle(reached, "/vdi-run") is None
    assert other_accounts.obstacle(hidden, "/vdi-run") == (
        f"other accounts cannot enter {closed}, where the host program lies: put it into another place"
    )
