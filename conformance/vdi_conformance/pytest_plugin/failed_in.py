"""The checks that an earlier run leaves to be run again, read from its evidence and handed to the workers."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from vdi_conformance.evidence.files import NotEvidence, read
from vdi_conformance.evidence.records import Verdict
from vdi_conformance.pytest_plugin.parties import PARTIES
from vdi_conformance.untrusted.printable import shown

AGAIN: Final[tuple[Verdict, ...]] = ("failed", "error", "not tested")
"""What gives a run another exit code than 0: warnings and known failures do not."""
SENTENCE: Final = 4000


class Earlier(NamedTuple):
    """Which checks are to be run again, and when the run started in which they ended so."""

    checks: frozenset[str]
    started: str


EARLIER: Final = pytest.StashKey[Earlier | None]()
_KEY: Final = "vdi_failed_in"


def pytest_configure(config: pytest.Config) -> None:
    """Read the evidence, or end with a usage error (exit code 4)."""
    if hasattr(config, "workerinput"):
        config.stash[EARLIER] = msgspec.convert(config.workerinput[_KEY], Earlier | None)
        return
    path = config.getoption("vdi_failed_in")
    config.stash[EARLIER] = None if path is None else _earlier(Path(path), config.stash[PARTIES][0].name)


def _earlier(path: Path, name: str) -> Earlier:
    try:
        run = read(path)
    except NotEvidence as error:
        raise pytest.UsageError(shown(str(error), SENTENCE)) from error
    if (other := run.header.client.name) != name:
        sentence = f"{path} is of a run of {other}, not of {name}: name the evidence of a run of this adapter"
        raise pytest.UsageError(shown(sentence, SENTENCE))
    checks = frozenset(check.id for check in run.checks if check.verdict in AGAIN)
    if not checks:
        sentence = f"{path} has no check that failed or was not tested: there is nothing to run again"
        raise pytest.UsageError(shown(sentence, SENTENCE))
    return Earlier(checks, run.header.started)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand them to a worker of pytest-xdist, which may be on another machine."""
    node.workerinput[_KEY] = msgspec.to_builtins(node.config.stash[EARLIER])
