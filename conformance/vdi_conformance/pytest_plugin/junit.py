"""Writes JUnit XML at the end of a whole run."""

from pathlib import Path

import pytest

from vdi_conformance.output.files import NotWritable, discard, write
from vdi_conformance.pytest_plugin.evidence import COLLECTOR
from vdi_conformance.pytest_plugin.no_verdict import ENDS
from vdi_conformance.report.junit import junit


class JUnitFile:
    """The file that was asked for; until the end of the run there is none, so that no old one passes for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            discard(path)
        except NotWritable as error:
            raise pytest.UsageError(str(error)) from error

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write it, unless the run was cut short."""
        collector = session.config.stash[COLLECTOR]
        if (evidence := collector.evidence) is None:
            return
        try:
            write(self._path, junit(evidence))
        except NotWritable as error:
            session.config.stash[ENDS].give_up(str(error))
        else:
            collector.written.append(f"JUnit XML to {self._path}")


def pytest_configure(config: pytest.Config) -> None:
    """Write on the controller only."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(JUnitFile(Path(config.getoption("vdi_junit"))), "vdi-junit-file")
