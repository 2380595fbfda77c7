"""Writes the reports that were asked for, such as JUnit XML, at the end of a whole run."""

from pathlib import Path

import pytest

from vdi_conformance.output.files import NotWritable, discard, write
from vdi_conformance.pytest_plugin.evidence import COLLECTOR
from vdi_conformance.pytest_plugin.no_verdict import ENDS
from vdi_conformance.pytest_plugin.outputs import REPORTS
from vdi_conformance.report.formats import FORMATS


class ReportFile:
    """One file that was asked for; until the end of the run there is none, so that no old one passes for it."""

    def __init__(self, format: str, path: Path) -> None:
        self._format = format
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
            write(self._path, FORMATS[self._format](evidence))
        except NotWritable as error:
            session.config.stash[ENDS].give_up(str(error))
        else:
            collector.written.append(f"{REPORTS[self._format]} to {self._path}")


def pytest_configure(config: pytest.Config) -> None:
    """Write on the controller only."""
    if hasattr(config, "workerinput"):
        return
    for format in REPORTS:
        if path := config.getoption(f"vdi_{format}"):
            config.pluginmanager.register(ReportFile(format, Path(path)), f"vdi-{format}-file")
