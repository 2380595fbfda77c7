"""What a person sees: a letter a check while it runs, and the summary made from the evidence."""

from collections.abc import Generator
from typing import Any, Final

import pytest
from rich.console import Console
from rich.text import Text

from vdi_conformance.evidence.records import Verdict
from vdi_conformance.private_interfaces import stream_of
from vdi_conformance.pytest_plugin.evidence import COLLECTORS, Collector
from vdi_conformance.pytest_plugin.no_verdict import ENDS
from vdi_conformance.pytest_plugin.phases import is_lost, phase_of
from vdi_conformance.pytest_plugin.profile import PROFILE
from vdi_conformance.report.matrix import matrix
from vdi_conformance.report.matrix_views import as_text
from vdi_conformance.report.profile_summary import profile_lines
from vdi_conformance.report.summary import summary
from vdi_conformance.untrusted.printable import shown

_STATUS: dict[Verdict, tuple[str, str, str]] = {
    "failed": ("failed", "F", "FAILED"),
    "warning": ("warned", "W", "WARNING"),
    "known failure": ("known failures", "K", "KNOWN FAILURE"),
    "error": ("error", "E", "ERROR"),
    "not tested": ("not tested", "N", "NOT TESTED"),
    "not applicable": ("not applicable", "-", "NOT APPLICABLE"),
}


_DEFAULTS: Final = {"tbstyle": "auto", "reportchars": "fE"}
"""What pytest's own account of failures is, unless the user asked for it: it then leaves checks to the summary."""
_FAILURES: Final = ("failed", "error")


class Account:
    """Pytest's own account of failures and errors: that of other tests, and of checks where the user asked for it."""

    def __init__(self, config: pytest.Config) -> None:
        self._asked = {option for option, usual in _DEFAULTS.items() if config.getoption(option) != usual}
        self._set_aside: dict[str, list[Any]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
        """Set checks aside while pytest tells of failures."""
        if "tbstyle" not in self._asked:
            for category in _FAILURES:
                if found := terminalreporter.stats.get(category):
                    self._set_aside[category] = found
                    terminalreporter.stats[category] = [report for report in found if not _is_check(report)]
        try:
            yield
        finally:
            self._put_back(terminalreporter)

    @pytest.hookimpl(specname="pytest_terminal_summary")
    def pytest_before_the_short_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Put them back, where the user asked for the lines that come last."""
        if "reportchars" in self._asked:
            self._put_back(terminalreporter)

    def _put_back(self, reporter: pytest.TerminalReporter) -> None:
        reporter.stats.update(self._set_aside)
        self._set_aside.clear()


def _is_check(report: object) -> bool:
    return isinstance(report, pytest.TestReport) and (phase_of(report) is not None or is_lost(report))


def pytest_configure(config: pytest.Config) -> None:
    """Leave the account of failed checks to the summary, unless the user asked pytest for its own."""
    config.pluginmanager.register(Account(config), "vdi-account")


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """Show verdicts, not pytest's outcomes."""
    if not isinstance(report, pytest.TestReport) or (phase := phase_of(report)) is None:
        return None
    return ("left out", "", "LEFT OUT") if phase.left_out else _STATUS.get(phase.verdict)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Print the summary, or that of each platform; wrong usage has its sentence and nothing else."""
    collectors = config.stash[COLLECTORS]
    if any(one.footer is None for one in collectors) or exitstatus == pytest.ExitCode.USAGE_ERROR:
        return
    if config.stash[ENDS].given_up and not any(one.checks for one in collectors):
        return
    writer = config.get_terminal_writer()
    console = Console(file=stream_of(config), force_terminal=writer.hasmarkup, width=writer.fullwidth, highlight=False)
    for collector in collectors:
        terminalreporter.section(" on ".join(filter(None, ["conformance", collector.place])))
        _tell(console, config, collector)
    runs = [one.evidence for one in collectors if one.evidence is not None]
    if len(collectors) > 1 and len(runs) == len(collectors):
        terminalreporter.section("platforms")
        console.print(Text(as_text(matrix(runs))), soft_wrap=True)
    if written := [one for collector in collectors for one in collector.written]:
        console.print(Text(f"Written: {'; '.join(written)}."), soft_wrap=True)


def _tell(console: Console, config: pytest.Config, collector: Collector) -> None:
    assert collector.footer is not None
    for part in summary(collector.header, collector.checks, collector.footer, listing=config.get_verbosity() > 0):
        console.print(part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap))
    if (profile := config.stash[PROFILE]) is not None and collector.header.shard is None:
        for line in profile_lines(profile, collector.by_requirement()):
            console.print(Text(line))
    if others := len(collector.failed_others):
        console.print(Text(f"Other tests of this run that failed: {others}, which gives it the exit code 1."))
    if collector.not_collected:
        files = ", ".join(sorted(set(collector.not_collected)))
        console.print(Text(f"Not collected, so that no test of it was run: {shown(files)}."))
