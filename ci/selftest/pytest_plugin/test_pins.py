"""What a run pins: the files that its parties are made of, as they were while it ran."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import native
from native import build
from vdi_conformance.evidence.records import Party
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.host.supervisor import Start, Supervisor
from vdi_conformance.pytest_plugin.parties import ask_parties

STARTS: tuple[Start, ...] = ("forkserver", "spawn") if sys.platform == "linux" else ("spawn",)
ADAPTER = """
import neighbour
from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import Identity

class Mine(Emulator):
    def identity(self):
        return Identity("mine", "1", library={library!r})

    def server_version(self):
        return "47.11"
"""
HOST = """
from vdi_conformance.host.child import entry

if __name__ == "__main__":
    entry.METHODS.leave_out("process.files")
    entry.METHODS.leave_out("statement.server_version")
    entry.spawned_main("vdi_conformance.adapters.emulator:Emulator", 0)
"""


LOADED = """
import sys
from selftest.pytest_plugin.test_pins import asked
print(*(path for path, pin in asked(sys.argv[1]).pins.items() if pin.kind == "loaded"), sep=chr(10))
"""


def asked(reference: str, start: Start | None = None) -> Party:
    """The client of a run, as its header has it."""
    with Supervisor(start) as supervisor:
        return ask_parties(supervisor, reference, None, RunSettings())[0]


def mine(directory: Path, library: object = "") -> Path:
    """An adapter of two files."""
    adapter = directory / "adapter.py"
    adapter.write_text(ADAPTER.format(library=str(library)), encoding="utf-8")
    (directory / "neighbour.py").write_text("", encoding="utf-8")
    return adapter


def of_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("start", STARTS)
def test_a_python_adapter_is_pinned_by_all_modules_that_it_loaded(start: Start, tmp_path: Path) -> None:
    adapter = mine(tmp_path)
    before = asked(f"{adapter}:Mine", start)
    for path in (adapter, tmp_path / "neighbour.py"):
        pin = before.pins[str(path.resolve())]
        assert (pin.kind, pin.sha256) == ("adapter", of_file(path))
    names = {Path(path).name for path in before.pins}
    assert {"state.py", "client.py"} <= names, "it is made of the emulator"
    assert not {"parties.py", "entry.py", "contract.py", "json"} & names, "the suite is no part of it"
    assert list(before.pins) == sorted(before.pins)
    assert before.core == {}

    (tmp_path / "neighbour.py").write_text("pass", encoding="utf-8")
    after = asked(f"{adapter}:Mine", start)
    changed = {path for path in before.pins if before.pins[path] != after.pins.get(path)}
    assert changed == {str((tmp_path / "neighbour.py").resolve())}


def test_the_library_that_an_adapter_names_is_pinned_and_nothing_that_is_no_file(tmp_path: Path) -> None:
    library = tmp_path / "libmine.so"
    library.write_bytes(b"no library at all")
    assert asked(f"{mine(tmp_path, library)}:Mine").core == {str(library.resolve()): of_file(library)}
    for named in (tmp_path, tmp_path / "missing", "libmine.so", "https://example.org/libmine.so"):
        assert asked(f"{mine(tmp_path, named)}:Mine").core == {}


def test_a_host_program_that_tells_nothing_is_pinned_by_its_manifest_its_program_and_its_arguments(
    tmp_path: Path,
) -> None:
    script = tmp_path / "program.py"
    script.write_text(HOST, encoding="utf-8")
    path = tmp_path / "mine.toml"
    search = json.dumps([str(Path(entry).absolute()) for entry in sys.path])
    starting = f"import runpy, sys; sys.path[:] = {search}; runpy.run_path('program.py', run_name='__main__')"
    command = [sys.executable, "-c", starting, "program.py"]
    path.write_text(f"command = {json.dumps(command)}\n", encoding="utf-8")
    found = asked(str(path))
    named = {Path(one).name: pin.kind for one, pin in found.pins.items() if pin.kind != "loaded"}
    assert named == {"mine.toml": "adapter", "program.py": "adapter", Path(sys.executable).resolve().name: "program"}
    assert found.pins[str(script.resolve())].sha256 == of_file(script)
    assert found.server_version == ""


@pytest.mark.skipif(sys.platform != "linux", reason="libsqlvdi.so is a library of Linux")
def test_the_library_that_was_loaded_is_pinned_with_what_it_loaded_itself() -> None:
    library = build()
    found = asked(f"sqlserver:{library}")
    assert found.core == {str(library.resolve()): of_file(library)}
    # A process of its own, since what the one that asks has loaded as well does not count.
    fresh = subprocess.run(
        [sys.executable, "-c", LOADED, f"sqlserver:{library}"],
        env={**os.environ, "PYTHONPATH": str(Path(native.__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {Path(path).name.partition(".")[0] for path in fresh.stdout.splitlines()}
    assert "libstdc++" in loaded
    assert "libc" not in loaded


def test_the_server_of_a_run_tells_the_version_of_what_is_behind_it(tmp_path: Path) -> None:
    reference = f"{mine(tmp_path)}:Mine"
    with Supervisor() as supervisor:
        client, server = ask_parties(supervisor, reference, None, RunSettings())
        assert (client.server_version, server) == ("47.11", client)
