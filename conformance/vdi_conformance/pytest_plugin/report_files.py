"""Writes the reports that were asked for, such as JUnit XML, at the end of a whole run."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.output.files import NotWritable, discard, write
from vdi_conformance.pytest_plugin.evidence import COLLECTORS
from vdi_conformance.pytest_plugin.no_verdict import ENDS
from vdi_conformance.pytest_plugin.outputs import REPORTS
from vdi_conformance.report import matrix_views
from vdi_conformance.report.formats import FORMATS
from vdi_conformance.report.matrix import matrix


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
        collectors = session.config.stash[COLLECTORS]
        runs = [one.evidence for one in collectors if one.evidence is not None]
        if len(runs) < len(collectors):
            return
        try:
            write(self._path, FORMATS[self._format](runs[0]) if len(runs) == 1 else self._of_all(runs))
        except NotWritable as error:
            session.config.stash[ENDS].give_up(str(error))
        else:
            collectors[0].written.append(f"{REPORTS[self._format]} to {self._path}")

    def _of_all(self, runs: Sequence[Evidence]) -> bytes:
        """Put the platforms of a run beside each other."""
        return matrix_views.FORMATS[self._format](matrix(runs)).encode()


def pytest_configure(config: pytest.Config) -> None:
    """Write on the controller only."""
    if hasattr(config, "workerinput"):
        return
    for format in REPORTS:
        if path := config.getoption(f"vdi_{format}"):
            config.pluginmanager.register(ReportFile(format, Path(path)), f"vdi-{format}-file")
