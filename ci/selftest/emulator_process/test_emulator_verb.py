"""`vdi-conformance emulator` as a process: its start, how it is reached, and its end."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from selftest.emulator_process.starting import CI, DIRECTORY, PATIENCE, command, environment, ran, running
from vdi_conformance.cli import main

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
PYTHON = sys.executable


def test_a_command_finds_all_that_a_client_needs_and_gives_its_exit_code(tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(
        "import os, subprocess, sys\n"
        "directory = os.environ['VDI_EMULATOR_DIRECTORY']\n"
        "assert os.path.exists(os.path.join(directory, 'broker.endpoint'))\n"
        "assert os.environ['VDI_SQLSERVER_CONNECTION'].startswith('Server=127.0.0.1,')\n"
        "assert os.environ['VDI_EMULATOR_PASSWORD'] == 'secret word'\n"
        "asked = subprocess.check_output('sqlcmd -b -Q \"PRINT hello\"', shell=True, text=True)\n"
        "print(directory, asked.strip())\n"
        "sys.exit(7)\n"
    )
    done = ran("--", PYTHON, str(script), VDI_EMULATOR_PASSWORD="secret word")  # noqa: S106
    assert done.returncode == 7, done.stderr
    directory, said = done.stdout.split()
    assert said == "hello"
    assert not Path(directory).exists()
    assert "Done: 0 sets, 0 commands, 0 bytes; 1 statement, all of them well." in done.stderr


def test_the_first_example_of_its_page_works() -> None:
    page = (CI.parent / "conformance" / "EMULATOR.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if line.startswith("vdi-conformance") and "-- sqlcmd" in line)
    pytest.importorskip("lark")
    pytest.importorskip("cryptography")
    words = [sys.executable, "-m", "vdi_conformance.cli", *shlex.split(line)[1:]]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "name",
        "----",
        "master",
        "tempdb",
        "model",
        "msdb",
        "sales",
        "(5",
        "rows",
        "affected)",
    ]


@POSIX
def test_a_signal_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    with running("--directory", str(tmp_path), "--database", "sales=2M", "--seconds") as emulator:
        assert (tmp_path / "time-outs-in-seconds").exists()
        emulator.process.send_signal(signal.SIGINT)
        _, told = emulator.process.communicate(timeout=PATIENCE)
    assert emulator.process.returncode == 0, told
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"broker.lock", "bin"}


@POSIX
def test_a_signal_goes_on_to_the_command() -> None:
    waiting = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print(1, flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen(
        command("--tds", "none", "--", PYTHON, "-c", waiting), env=environment(), stdout=-1, stderr=-1, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        process.terminate()
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 9, told


def test_a_directory_is_used_again_after_a_kill_but_not_by_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running("--directory", str(tmp_path)) as first:
        assert main(["emulator", "--directory", str(tmp_path)]) == 4
        assert "end it first, or take another directory" in capsys.readouterr().err
        assert first.tool("sqlcmd", "-Q", "PRINT yes").stdout == "yes\n"
        first.process.kill()
        first.process.wait(PATIENCE)
        with running("--directory", str(tmp_path)) as third:
            assert third.tool("sqlcmd", "-Q", "PRINT again").stdout == "again\n"


@pytest.mark.parametrize("option", ["--json", "--log", "--judge"])
def test_a_file_that_cannot_be_written_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["emulator", option, str(tmp_path), "--", PYTHON, "-c", "print('started')"]) == 4
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"vdi-conformance: {option}: {tmp_path} cannot be written")


def test_what_it_says_is_enough_to_connect() -> None:
    with running("--instance", "second") as emulator:
        told = emulator.told
        assert told["server"].endswith("\\second")
        host, _, port = told["address"].rpartition(":")
        socket.create_connection((host, int(port)), PATIENCE).close()
        assert told["pymssql"] == {"server": host, "port": port, "user": "sa", "password": told["password"]}
        assert told["password"] in told["odbc"]
        assert emulator.tool("osql", "-E", "-S", ".\\second", "-b", "-Q", "PRINT it").stdout == "it\n"
        assert emulator.tool("osql", "-E", "-S", ".", "-b", "-Q", "PRINT it").returncode == 1
        assert main(["emulator", "sql", "--directory", told["directory"], "FAIL"]) == 1


BY_NAME = """
import os, pymssql
password = os.environ["VDI_EMULATOR_PASSWORD"]
with pymssql.connect(server=r"127.0.0.1\\third", user="sa", password=password) as connection:
    cursor = connection.cursor()
    cursor.execute("SELECT @@SERVERNAME")
    print(cursor.fetchone()[0])
"""


# Only one process of a computer tells drivers of instances, so that everyday tests at once would be in its way.
@pytest.mark.long
def test_drivers_find_a_named_instance_by_its_name() -> None:
    pytest.importorskip("pymssql")
    words = [PYTHON, "-m", "vdi_conformance.cli", "emulator", "--instance", "third", "--", PYTHON, "-c", BY_NAME]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout.strip().endswith("\\third"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tds", "somewhere"], "--tds: 'somewhere' is no address; write HOST:PORT, such as 127.0.0.1:1433."),
        (["--tds", "127.0.0.1:70000"], "--tds: '127.0.0.1:70000' is no address"),
        (["--database", "sales"], "--database: 'sales' is no database; write NAME=SIZE"),
        (["--database", "sales=much"], "--database: 'sales=much' is no database"),
        (["--fail-completion", "x=1"], "--fail-completion: 'x=1' is no completion; write N=CODE"),
        (["--group", "no-such-group"], "--group: "),
        (["--reading", "records_are_used_again"], "records_are_used_again is a reading of the client object"),
        (["--reading", "time_outs_are_in_seconds"], "time_outs_are_in_seconds is a reading of the client object"),
        (["--reading", "queue_of_two"], "there is no reading 'queue_of_two' here; nearest: queues_of_two"),
        (["--reading", "queues_of_two", "--reading", "queues_have_no_end"], "do not go together"),
        (["--tds", "none", "--", "no-such-program"], "no-such-program cannot be started"),
        (["--directory", __file__], "name a directory that can be written to"),
        (["librarian"], "there is no command 'librarian'"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DIRECTORY, raising=False)
    done = main(["emulator", *arguments]) if "--" not in arguments else ran(*arguments).returncode
    assert done == 4
    if "--" not in arguments:
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.startswith("vdi-conformance: ")
        assert told in last


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = ran("--tds", f"127.0.0.1:{taken.getsockname()[1]}")
    assert (done.returncode, "choose another port" in done.stderr) == (4, True)


def test_other_computers_are_let_in_only_with_a_warning_and_no_other_account_reads_the_password(tmp_path: Path) -> None:
    file = tmp_path / "told.json"
    # Whoever made this before is not to read what is written to it.
    made_before = tmp_path / "made before"
    made_before.touch(0o666)
    file.with_name("told.json.new").hardlink_to(made_before)
    done = ran("--tds", "0.0.0.0:0", "--json", str(file), "--", PYTHON, "-c", "")
    assert made_before.read_text("utf-8") == ""
    assert json.loads(file.read_text("utf-8"))["address"].startswith("127.0.0.1:")
    assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o600
    assert (done.returncode, "Warning: 0.0.0.0 can be reached from other computers" in done.stderr) == (0, True)


def test_an_emulator_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulator", "sql", "PRINT x", "--directory", str(tmp_path)]) == 1
    assert "No emulated SQL Server answers in" in capsys.readouterr().err
