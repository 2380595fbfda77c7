"""sqlcmd and osql as programs: what they pass on to the emulator, and what comes back."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from selftest.emulator_process.starting import PATIENCE, Running, environment, running
from vdi_conformance.sqlserver.process import relay

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with running("--tds", "none") as started:
        yield started


def test_input_output_and_files_are_those_of_the_program(emulator: Running, tmp_path: Path) -> None:
    script, out = tmp_path / "script.sql", tmp_path / "out.txt"
    script.write_text("PRINT 'ä from a file'\nGO\n", encoding="utf-16")
    assert emulator.tool("sqlcmd", "-h-1", given="SELECT 1\nGO\nSELECT 2").stdout.split() == [
        *("1", "(1", "rows", "affected)"),
        *("2", "(1", "rows", "affected)"),
    ]
    done = emulator.tool("sqlcmd", "-i", str(script), "-o", str(out))
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert out.read_text(encoding="utf-8") == "ä from a file\n"
    missing = emulator.tool("sqlcmd", "-i", str(tmp_path / "missing.sql"))
    assert (missing.returncode, "missing.sql" in missing.stderr) == (1, True)


def test_what_is_a_message_and_what_an_error_comes_to_the_right_stream(emulator: Running) -> None:
    done = emulator.tool("osql", "-E", "-b", "-r1", "-Q", "FAIL")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == "Msg 50000, Level 16, State 1, Server FAKE, Line 1\nIt fails.\n"


def test_a_wrong_password_is_refused(emulator: Running) -> None:
    done = emulator.tool("sqlcmd", "-U", "sa", "-P", "guessed", "-Q", "PRINT x")
    assert (done.returncode, "Login failed for user 'sa'." in done.stderr) == (1, True)
    known = emulator.tool("sqlcmd", "-U", "sa", "-P", emulator.told["password"], "-Q", "PRINT x")
    assert known.stdout == "x\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_cancels_the_batch(emulator: Running) -> None:
    program = Path(emulator.told["programs"]) / "sqlcmd"
    with subprocess.Popen([program, "-Q", "WAIT"], env=environment(), stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "CTRL+C" in told) == (1, True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_program_that_is_killed_cancels_its_batch(emulator: Running) -> None:
    program = Path(emulator.told["programs"]) / "sqlcmd"
    with subprocess.Popen([program, "-Q", "WAIT"], env=environment(), stdout=-1, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    assert emulator.tool("sqlcmd", "-Q", "PRINT still").stdout == "still\n"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"run\n",
        b"run x00 x00 1 1 1\n",
        b"run x x73716c636d64 0 5 0 x00\n",
        b"run x x73716c636d64 0 -1 1\n",
        b"run x x6c73 0 0 0\n",
        b"\xff\n",
        b"cancel\n",
    ],
)
def test_who_does_not_speak_the_protocol_is_hung_up_on(emulator: Running, line: bytes) -> None:
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("there are no Unix sockets")
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.settimeout(PATIENCE)
        stranger.connect(str(Path(emulator.told["directory"]) / "sqlcmd.socket"))
        stranger.sendall(line)
        stranger.shutdown(socket.SHUT_WR)
        assert stranger.recv(100) == b""
    assert emulator.tool("sqlcmd", "-Q", "PRINT still").stdout == "still\n"


@pytest.mark.long
def test_at_a_port_the_secret_is_asked_for() -> None:
    with running("--tds", "none", "--windows") as emulator:
        assert emulator.tool("sqlcmd", "-Q", "PRINT yes").stdout == "yes\n"
        port = int((Path(emulator.told["directory"]) / "sqlcmd.endpoint").read_text().split()[0])
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as stranger:
            stranger.sendall(b"run x6e6f x73716c636d64 0 0 0\n")
            assert stranger.recv(100) == b""


@pytest.mark.parametrize(
    "told", ["", "x", "x2f x", "xzz x", "x2f xzz", "x00 x", "0 x", "99999999 x", "port x", "1 2 3"]
)
def test_a_program_without_an_emulator_says_so_whatever_the_file_holds_that_leads_to_it(
    told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / relay.ENDPOINT).write_text(told, encoding="ascii")
    assert relay.main("sqlcmd", str(tmp_path), "-Q", "SELECT 1") == relay.FAILED
    assert capsys.readouterr().err.startswith("Sqlcmd: Error: No emulated SQL Server answers in ")
