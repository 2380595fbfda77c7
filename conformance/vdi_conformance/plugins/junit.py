"""Writes JUnit XML at the end of a whole run."""

from pathlib import Path

import pytest

from vdi_conformance.plugins.evidence import COLLECTOR
from vdi_conformance.report.junit import junit


class JUnitFile:
    """The file that was asked for; until the end of the run there is none, so that no old one passes for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(f"{path} cannot be written ({error.strerror}): name another file") from error

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write it, unless the run was cut short."""
        if (evidence := session.config.stash[COLLECTOR].evidence) is not None:
            self._path.write_bytes(junit(evidence))


def pytest_configure(config: pytest.Config) -> None:
    """Write on the controller only."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(JUnitFile(Path(config.getoption("vdi_junit"))), "vdi-junit-file")
