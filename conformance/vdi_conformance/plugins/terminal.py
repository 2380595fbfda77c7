"""What a person sees: a letter a check while it runs, and the summary made from the evidence."""

import pytest
from rich.console import Console
from rich.text import Text

from vdi_conformance.evidence.records import Verdict
from vdi_conformance.plugins.evidence import COLLECTOR
from vdi_conformance.plugins.phases import phase_of
from vdi_conformance.plugins.profile import PROFILE
from vdi_conformance.report.profile_summary import profile_lines
from vdi_conformance.report.summary import summary

_STATUS: dict[Verdict, tuple[str, str, str]] = {
    "failed": ("failed", "F", "FAILED"),
    "warning": ("warned", "W", "WARNING"),
    "known failure": ("known failures", "K", "KNOWN FAILURE"),
    "error": ("error", "E", "ERROR"),
    "not tested": ("not tested", "N", "NOT TESTED"),
    "not applicable": ("not applicable", "-", "NOT APPLICABLE"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Leave the account of failures to the summary, unless the user asked pytest for its own."""
    if config.getoption("tbstyle") == "auto":
        config.option.tbstyle = "no"
    if config.getoption("reportchars") == "fE":
        config.option.reportchars = ""


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """Show verdicts, not pytest's outcomes."""
    if not isinstance(report, pytest.TestReport) or (phase := phase_of(report)) is None:
        return None
    return ("left out", "", "LEFT OUT") if phase.left_out else _STATUS.get(phase.verdict)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the summary."""
    collector = config.stash[COLLECTOR]
    if collector.footer is None or config.getoption("collectonly"):
        return
    if collector.complaint:
        terminalreporter.write_line(f"ERROR: {collector.complaint}", red=True)
        return
    terminalreporter.section("conformance")
    writer = terminalreporter._tw
    console = Console(file=writer._file, force_terminal=writer.hasmarkup, width=writer.fullwidth, highlight=False)
    for part in summary(collector.header, collector.checks, collector.footer):
        console.print(part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap))
    if (profile := config.stash[PROFILE]) is not None:
        for line in profile_lines(profile, collector.by_requirement()):
            console.print(Text(line))
