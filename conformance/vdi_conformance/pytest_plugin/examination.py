"""Who is under test in a place, and what takes part in verdicts there: asked there, before anything runs."""

import hashlib
import platform
import time
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import msgspec

from vdi_conformance.evidence.records import Party
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.host.supervisor import Start, Supervisor
from vdi_conformance.pytest_plugin.parties import UnknownParties, ask_parties, parties_of
from vdi_conformance.pytest_plugin.probe import Trouble, probe
from vdi_conformance.pytest_plugin.tools import OURS, tools

PACKAGE: Final = Path(__file__).resolve().parent.parent
_CODE: Final = (".py", ".tsv", ".ini")
_ELSEWHERE: Final = PACKAGE / "standins" / "native"
"""What a wheel has there lies elsewhere in a checkout."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a place: whom to examine, how, and whether with a BACKUP and a RESTORE."""

    adapter: str
    server: str | None
    seed: int
    timeout_scale: float
    start: Start | None
    probed: bool
    with_statements: bool


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What a place says: where the suite lies there, what runs it, and who is under test.

    `trouble` is a sentence where nothing can be judged there; `clock` is its time in seconds since 1970.
    """

    package: str
    platform: str
    python: str
    tools: dict[str, str]
    plugins: dict[str, str]
    clock: float
    client: Party | None = None
    server: Party | None = None
    trouble: str = ""


def examine(asked: str) -> str:
    """Answer in JSON what was asked in JSON."""
    return msgspec.json.encode(examined(msgspec.json.decode(asked, type=Asked))).decode()


def examined(asked: Asked) -> Examined:
    """Ask the adapters here who they are, and try whether checks can run."""
    settings = RunSettings(asked.seed, asked.timeout_scale)
    trouble = ""
    client: Party | None = None
    server: Party | None = None
    with Supervisor(asked.start) as supervisor:
        try:
            client, server = ask_parties(supervisor, asked.adapter, asked.server, settings)
            if asked.probed:
                probe(parties_of(client, server, settings), supervisor, asked.with_statements)
        except (UnknownParties, Trouble) as error:
            trouble = str(error)
    return Examined(
        package=str(PACKAGE),
        platform=platform.platform(),
        python=platform.python_version(),
        tools=tools(),
        plugins=_plugins(),
        clock=time.time(),
        client=client,
        server=server,
        trouble=trouble,
    )


@cache
def suite_digest() -> str:
    """Give the SHA-256 of the suite's code and data: two versions may have one number while they are written."""
    digest = hashlib.sha256()
    for path in sorted(path for path in PACKAGE.rglob("*") if path.suffix in _CODE and _ELSEWHERE not in path.parents):
        # Line ends are a matter of the system that it was checked out on.
        code = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(PACKAGE).as_posix()} {len(code)}\n".encode() + code)
    return digest.hexdigest()


def _plugins() -> dict[str, str]:
    """Give the versions of the distributions that bring plugins of pytest, which loads all of them."""
    found = {one.dist.name: one.dist.version for one in entry_points(group="pytest11") if one.dist is not None}
    return {name: version for name, version in sorted(found.items()) if name.replace("-", "_") not in OURS}
