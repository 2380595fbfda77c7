"""What a client library of SQL Server answers, in one command: `answer.py --database NAME -o DIR`.

It runs the profile `shared-buffers` with the server `sqlserver`, and leaves the evidence, the page of the run, the
fingerprint of all open questions, and the text of a pull request. It needs an installed vdi-conformance[sqlserver].
Exit codes: those of `vdi-conformance run`; 4 besides where a database may not be used or a file not be written.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlserver.fingerprint import as_json, as_markdown, pull_request
from vdi_conformance.adapters.tsql.databases import PREFIX
from vdi_conformance.adapters.tsql.driver import Driver
from vdi_conformance.adapters.tsql.quoting import bracketed, literal
from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.adapters.tsql.settings import DATABASE, settings_of
from vdi_conformance.evidence.files import Evidence, NotEvidence, read
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

SQL_SERVER: Final = "sqlserver"
SYSTEM: Final = frozenset({"master", "model", "msdb", "tempdb", "distribution", "mssqlsystemresource"})
COMMITTED: Final = Path(__file__).resolve().parents[2] / "reports" / "baseline" / "emulator.jsonl"
USAGE: Final = 4
JUDGED: Final = (0, 1, 6)
"""The exit codes of a run that came to its end."""


class Refused(Exception):
    """Nothing is run; the sentence says why, and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what will be done, do it, and give the exit code of the run."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    own, further = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    given = _parser().parse_args(own)
    try:
        if given.server == SQL_SERVER:
            require_database(given.database)
        given.output.mkdir(parents=True, exist_ok=True)
        _say(plan(given.adapter, given.server, given.database, given.output))
        code = _run(given, further)
        if code in JUDGED:
            _write(given.output, given.emulator)
    except Refused as reason:
        _say(shown(str(reason)))
        return USAGE
    except OSError as error:
        _say(f"{given.output} cannot be written to ({error.strerror}): choose another directory with -o.")
        return USAGE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", default=SQL_SERVER, metavar="REF", help="the client library, as for `run`")
    parser.add_argument("--server", default=SQL_SERVER, metavar="REF", help="who runs the statements, as for `run`")
    parser.add_argument("--database", metavar="NAME", help="a database of yours that BACKUP may read; it must exist")
    parser.add_argument("-o", "--output", type=Path, default=Path("answer"), metavar="DIR", help="where results go")
    parser.add_argument("-n", default="2", metavar="N", help="worker processes")
    parser.add_argument("--timeout-scale", default="3", metavar="F", help="stretches every time limit")
    parser.add_argument("--emulator", type=Path, default=COMMITTED, metavar="FILE", help="a run of the emulator")
    parser.epilog = "What follows -- goes to `vdi-conformance run`, such as -- --check ID."
    return parser


def require_database(name: str | None) -> None:
    """Refuse what is no database of the user's own: none, one of the system, or one that the server does not have."""
    if not name:
        raise Refused("name a database that BACKUP may read: --database NAME. Make one for this if in doubt")
    if name.strip().lower() in SYSTEM:
        raise Refused(f"{name} is a database of the system, which this does not touch: name one of your own")
    if name.lower().startswith(PREFIX):
        raise Refused(f"{name} has a name that the suite gives to databases which it drops: name one of your own")
    try:
        bracketed(name)
        session = Driver(settings_of({**os.environ, DATABASE: name}).connection).connect()
        try:
            ((found,),) = session.rows(f"SELECT DB_ID({literal(name)});")
        finally:
            session.close()
    except NotRunnable as error:
        raise Refused(str(error)) from error
    if found is None:
        raise Refused(f"the server has no database {name}: make it, or name another one")


def plan(adapter: str, server: str, database: str | None, output: Path) -> str:
    """Say what will be done, before anything is."""
    lines = [f"The profile shared-buffers, with the library of {shown(adapter)} and the server {shown(server)}."]
    if server == SQL_SERVER:
        lines += [
            f"BACKUP reads the database {shown(str(database))}, always COPY_ONLY.",
            "Nothing restores over that one or drops it.",
            f"RESTORE makes databases of its own, whose names begin with {PREFIX}, and they are dropped again.",
            "The error log of the server is read where a statement failed. No other database is touched.",
        ]
    lines.append(f"Results go to {shown(str(output))}: evidence.jsonl, run.html, fingerprint.*, pull-request.md.")
    return "\n".join(lines)


def _run(given: argparse.Namespace, further: Sequence[str]) -> int:
    evidence, page = given.output / "evidence.jsonl", given.output / "run.html"
    evidence.unlink(missing_ok=True)
    command = [sys.executable, "-m", "vdi_conformance.cli", "run", "--profile", "shared-buffers"]
    command += ["--adapter", given.adapter, "--server", given.server]
    command += ["-n", given.n, "--timeout-scale", given.timeout_scale, "--evidence", str(evidence), "--html", str(page)]
    variables = {**os.environ, **({DATABASE: given.database} if given.database else {})}
    return subprocess.run([*command, *further], env=variables, check=False).returncode


def _write(output: Path, emulator: Path) -> None:
    """Make everything that follows from the evidence."""
    run = _read(output / "evidence.jsonl")
    other = _read(emulator) if emulator.is_file() else None
    made = {
        "fingerprint.json": as_json(run),
        "fingerprint.md": as_markdown(run),
        "pull-request.md": pull_request(run, other),
    }
    for name, text in made.items():
        (output / name).write_text(text, encoding="utf-8", errors="replace", newline="\n")
    _say(f"Written: {', '.join(made)}. Read pull-request.md before you send it.")


def _read(path: Path) -> Evidence:
    try:
        return read(path)
    except NotEvidence as error:
        raise Refused(f"{error}; run again") from error


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
