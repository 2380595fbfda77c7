"""What never happens: nothing is sent to other machines, nothing that is read is run, no password is an argument."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.main import get_command

import vdi_conformance
from selftest.evidence.samples import PARTY
from selftest.report.made import check, run
from vdi_conformance.cli import app, main
from vdi_conformance.evidence.files import written

PACKAGE = Path(vdi_conformance.__file__).parent
CLIENTS = {"aiohttp", "ftplib", "http", "httpx", "imaplib", "poplib", "requests", "smtplib", "telnetlib", "urllib"}
REACHING = ("create_connection", "connect", "connect_ex", "sendto")
"""How a socket gets to another one."""
LOCAL = {
    "emulator/broker.py": "its own listener",
    "emulator/broker_protocol.py": "a broker of this machine",
    "sqlserver/process/relay.py": "an emulator of this machine",
    "tds/browser.py": "whoever asked it",
}
"""The modules with sockets that get to others, and to whom."""
NAMED_BY_USERS = {
    "execnet": {"pytest_plugin/places.py", "pytest_plugin/visiting.py", "pytest_plugin/visits.py"},
    "mssql_python": {"adapters/tsql/driver.py"},
}
"""The packages by which machines are reached that the user has named, and the modules that import them."""


@cache
def modules() -> dict[str, str]:
    """Read all modules of the package, by their paths."""
    return {
        path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))
    }


def imported(module: str) -> set[str]:
    """Name the packages that a module imports, wherever in it."""
    return {*re.findall(r"^ *(?:import|from) (\w+)", module, re.MULTILINE)}


def test_no_module_is_a_client_of_the_internet() -> None:
    found = {name: imported(module) for name, module in modules().items()}
    assert len(found) > 300
    assert {name: packages & CLIENTS for name, packages in found.items() if packages & CLIENTS} == {}


def test_sockets_get_to_this_machine_alone() -> None:
    with_sockets = {name: module for name, module in modules().items() if "socket" in imported(module)}
    reaching = re.compile(rf"\.(?:{'|'.join(REACHING)})\(")
    assert {name for name, module in with_sockets.items() if reaching.search(module)} == LOCAL.keys()
    places = [place for module in with_sockets.values() for place in re.findall(r"create_connection\((.*)", module)]
    assert len(places) == 2
    assert [place for place in places if not place.startswith('("127.0.0.1", ')] == []


@pytest.mark.parametrize("package", NAMED_BY_USERS)
def test_other_machines_are_reached_where_a_user_names_them(package: str) -> None:
    naming = re.compile(rf'(?:^ *(?:import|from) |"){package}\b', re.MULTILINE)
    assert {name for name, module in modules().items() if naming.search(module)} == NAMED_BY_USERS[package]


def parameters(command: Any) -> Iterator[str]:
    """Name all options of a command and of those below it."""
    for parameter in command.params:
        yield from (*parameter.opts, parameter.name)
    for below in getattr(command, "commands", {}).values():
        yield from parameters(below)


def test_no_option_takes_a_password() -> None:
    found = [*parameters(get_command(app))]
    assert "--evidence" in found
    words = ("password", "passwd", "pwd", "secret", "token", "credential")
    assert [name for name in found if any(word in name.lower() for word in words)] == []


@pytest.mark.parametrize("verb", [["report", "html"], ["compare", "EVIDENCE"], ["matrix", "EVIDENCE"], ["reproduce"]])
def test_nothing_that_is_read_is_run(verb: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence names an adapter, which is a file here that would leave a trace."""
    trace, adapter, evidence = tmp_path / "trace", tmp_path / "mine.py", tmp_path / "evidence.jsonl"
    adapter.write_text(f"open({str(trace)!r}, 'x').close()\n", encoding="utf-8")
    party = msgspec.structs.replace(PARTY, reference=f"{adapter}:Mine", library=str(adapter))
    evidence.write_bytes(written(run(check("MBH/a", "failed"), client=party, server=party)))
    main([str(evidence) if word == "EVIDENCE" else word for word in verb] + [str(evidence)])
    assert capsys.readouterr() != ("", "")
    assert not trace.exists()
