"""The known failures of the run: read before anything is started, and handed to the workers, who judge by them."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from vdi_conformance.harness.testbed import KNOWN_TO_FAIL
from vdi_conformance.judgement.baseline import Entry, NotABaseline, digest, load
from vdi_conformance.pytest_plugin.checks import check_id, requirements_of
from vdi_conformance.untrusted.printable import shown


class Baseline(NamedTuple):
    """The entries, and the day on which the run started, which decides what has expired."""

    entries: tuple[Entry, ...]
    day: date

    @property
    def sha256(self) -> str | None:
        """The digest of the entries; None where there are none."""
        return digest(self.entries) if self.entries else None


BASELINE: Final = pytest.StashKey[Baseline]()
SENTENCE: Final = 8000
"""So many characters are told of what is wrong with it."""
_KEY: Final = "vdi_baseline"


def pytest_configure(config: pytest.Config) -> None:
    """Read the file, or end with a usage error (exit code 4)."""
    if hasattr(config, "workerinput"):
        config.stash[BASELINE] = msgspec.convert(config.workerinput[_KEY], Baseline)
        return
    path = config.getoption("vdi_baseline")
    try:
        config.stash[BASELINE] = Baseline(load(Path(path)) if path else (), datetime.now(UTC).date())
    except NotABaseline as error:
        raise pytest.UsageError(shown(str(error), SENTENCE)) from error


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the checks that entries speak of: what is known costs no time to be made simple."""
    for item in items:
        requirements = requirements_of(item)
        item.stash[KNOWN_TO_FAIL] = any(
            entry.lists_failures and entry.addresses(check_id(item), requirements)
            for entry in config.stash[BASELINE].entries
        )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand it to a worker of pytest-xdist, which may be on another machine."""
    node.workerinput[_KEY] = msgspec.to_builtins(node.config.stash[BASELINE])
