"""Programs that speak TDS: those of FreeTDS from Debian's packages, and a client by tedious from npm's registry."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Final

from environment import ROOT, alone, clean_variables
from widths.packages import NotHere, install

BUILD: Final = ROOT / "build" / "tds"
_SOURCES: Final = Path(__file__).parent
_FILES: Final = ("package.json", "package-lock.json", "client.js")
_STAMP: Final = "made-from.txt"
_LIBRARY: Final = "libtdsodbc.so"


def freetds() -> None:
    """See that `tsql` and `bsqldb` are there; NotHere where they cannot be had."""
    install("freetds-bin")


def odbc() -> Path:
    """See that `isql` is there, and give FreeTDS's ODBC driver; NotHere where they cannot be had."""
    install("unixodbc", "tdsodbc")
    found = next(iter(Path("/usr/lib").glob(f"*/odbc/{_LIBRARY}")), None)
    if found is None:
        raise NotHere(f"the package tdsodbc has brought no {_LIBRARY}")
    return found


def tedious() -> tuple[str, ...]:
    """Give the command of the client by tedious, built where that is not up to date; NotHere where it cannot be had."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            install("nodejs", "npm")
    BUILD.mkdir(parents=True, exist_ok=True)
    with alone(BUILD / "in-use.lock"):
        _build(BUILD / "tedious")
    return shutil.which("node") or "node", str(BUILD / "tedious" / "client.js")


def _build(directory: Path) -> None:
    sources = {name: (_SOURCES / name).read_bytes() for name in _FILES}
    wanted = hashlib.sha256(b"\0".join(sources.values())).hexdigest()
    stamp = directory / _STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    directory.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    for name, content in sources.items():
        (directory / name).write_bytes(content)
    command = [shutil.which("npm") or "npm", "ci", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=directory, env=clean_variables(), capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-200:]
        raise NotHere(f"tedious cannot be had (`npm ci` says: {said})")
    stamp.write_text(wanted, encoding="utf-8")
