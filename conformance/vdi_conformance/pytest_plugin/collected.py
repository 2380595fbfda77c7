"""Which checks the suite holds: collected anew and by itself, so that no option or plugin of a run has a say in it."""

from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import pytest

from vdi_conformance.harness.endurance import MARKER
from vdi_conformance.pytest_plugin.checks import about_of, check_id, requirements_of

PACKAGE: Final = Path(str(files("vdi_conformance")))


def isolating(package: str) -> tuple[str, ...]:
    """Give the options that keep settings and caches of a directory out of a run in it, by where the suite lies."""
    return (f"--config-file={package}/cli/pytest.ini", f"--rootdir={package}", "-p", "no:cacheprovider", "--no-header")


ISOLATING: Final = isolating(str(PACKAGE))
FOREIGN: Final = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "ALLURE_TESTPLAN_PATH")
"""Variables that would have a say as well."""
_COLLECTING: Final = ("-p", "vdi_conformance.pytest_plugin", "--collect-only", "-qq", "--capture=no", "--assert=plain")


class Collected(NamedTuple):
    """A check of the suite: what pytest calls it, what it judges and says that it holds, and where it begins."""

    node: str
    requirements: tuple[str, ...]
    about: str
    file: str
    line: int


class NotFound(Exception):
    """The checks cannot be collected: one sentence says why."""


class _Gatherer:
    """Keeps what was collected."""

    def __init__(self) -> None:
        self.checks: dict[str, Collected] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take the checks; what judges nothing is none, and those of endurance have runs of their own."""
        self.checks = {
            check_id(item): Collected(
                item.nodeid, tuple(requirements), about_of(item), str(item.path), (item.location[1] or 0) + 1
            )
            for item in session.items
            if (requirements := requirements_of(item)) and not item.get_closest_marker(MARKER)
        }


@cache
def held() -> Mapping[str, Collected]:
    """Give every check of the suite by its id, without those of endurance; nothing is started for that."""
    gatherer, told = _Gatherer(), StringIO()
    with pytest.MonkeyPatch.context() as environment, redirect_stdout(told), redirect_stderr(told):
        for variable in FOREIGN:
            environment.delenv(variable, raising=False)
        # Plugins of whoever runs the command have no say, and need not be loaded.
        environment.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        code = pytest.main([*ISOLATING, *_COLLECTING, str(PACKAGE / "suite")], plugins=[gatherer])
    if code != pytest.ExitCode.OK:
        raise NotFound(f"the checks cannot be found ({_complaint(told.getvalue())}): install vdi-conformance anew")
    return MappingProxyType(gatherer.checks)


def _complaint(told: str) -> str:
    """Find in what pytest told the line that names the error."""
    lines = [line for line in told.splitlines() if line.strip()]
    errors = [line.removeprefix("E").strip() for line in lines if line.startswith("E ")]
    return (errors or lines or ["pytest gave no reason"])[-1]
