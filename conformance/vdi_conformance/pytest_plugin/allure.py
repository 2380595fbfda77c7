"""Gives the results that allure-pytest writes our names, verdicts and texts; used where --alluredir is given.

Ids follow from the check's id alone: those of allure-pytest change with paths and with the values of parameters, and
Allure would lose a check's history or take two checks for one.
"""

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import allure_commons
import msgspec
import pytest
from allure_commons.model2 import Attachment, Label, Link, StatusDetails, TestResult
from allure_commons.types import LabelType

from vdi_conformance.evidence.records import Cause, CheckRecord
from vdi_conformance.harness.testbed import TESTBED
from vdi_conformance.output.files import NotWritable, not_writable, write
from vdi_conformance.pytest_plugin.checks import check_id, level_of, requirements_of
from vdi_conformance.pytest_plugin.evidence import COLLECTORS, header_of
from vdi_conformance.pytest_plugin.no_verdict import ENDS
from vdi_conformance.pytest_plugin.phases import Phases
from vdi_conformance.report import allure
from vdi_conformance.report.lanes import lanes_image, lanes_text
from vdi_conformance.report.wording import account, headline, untested_lines
from vdi_conformance.untrusted.printable import shown, shown_lines

KEPT: Final = (LabelType.HOST, LabelType.THREAD, LabelType.FRAMEWORK, LabelType.LANGUAGE)
"""The labels of allure-pytest that do not depend on where the suite lies."""


class Results:
    """Rewrites each result just before it is written, in the process that runs the checks."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._header = header_of(config)
        self._phases = Phases()
        self._full = False
        self._record: CheckRecord | None = None
        self._span: dict[str, int] = {}
        self._last_words: list[tuple[str, str]] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Prepare for a test that never reports, since the run ends within it."""
        self._record = _unfinished(item) if requirements_of(item) else None
        self._span, self._last_words = {}, []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Keep what the processes of a check wrote, once they have ended."""
        try:
            yield
        finally:
            if (testbed := item.stash.get(TESTBED, None)) is not None:
                self._last_words = testbed.processes.last_words()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Put the record of a check together; one whose worker died has no result yet."""
        self._span |= {"start": self._span.get("start", _stamp(report.start)), "stop": _stamp(report.stop)}
        if (record := self._phases.add(report)) is None:
            return
        self._record = record
        if report.when != "teardown":
            now = _stamp(time.time())
            self._span, self._last_words = {"start": now, "stop": now}, []
            allure_commons.plugin_manager.hook.report_result(result=TestResult(uuid=str(uuid4())))

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: TestResult) -> None:
        """Make a result a check's; those of other tests are left alone."""
        if (record := self._record) is None:
            return
        self._record = None
        result.name = result.fullName = shown(record.id)
        result.historyId = result.testCaseId = allure.identity(record)
        result.titlePath = allure.title_path(record)
        result.parameters = []
        kept = [label for label in result.labels if label.name in KEPT]
        result.labels = [*kept, *(Label(name, value) for name, value in allure.labels(record))]
        result.links = list(self._links(record))
        result.description = allure.description(self._header, record)
        result.status = allure.STATUSES[record.verdict]
        result.statusDetails = self._details(record)
        result.start, result.stop = self._span.get("start", result.start), self._span.get("stop", result.stop)
        if record.calls:
            _attach(result, "calls", lanes_text(record))
            _attach_picture(result, lanes_image(record))
        for process, text in self._last_words:
            _attach(result, f"standard error of {process}", text)

    @allure_commons.hookimpl(wrapper=True, specname="report_result")
    def written_result(self) -> Generator[None, None, None]:
        """Say in one sentence that a result could not be written."""
        yield from self._watched()

    @allure_commons.hookimpl(wrapper=True, specname="report_container")
    def written_container(self) -> Generator[None, None, None]:
        """Say the same of what belongs to several results."""
        yield from self._watched()

    @allure_commons.hookimpl(wrapper=True, specname="report_attached_data")
    def written_attachment(self) -> Generator[None, None, None]:
        """Say the same of an attachment."""
        yield from self._watched()

    @allure_commons.hookimpl(wrapper=True, specname="global_error")
    def written_error(self) -> Generator[None, None, None]:
        """Say the same of what is wrong with the whole."""
        yield from self._watched()

    def _watched(self) -> Generator[None, None, None]:
        try:
            yield
        except OSError as error:
            # Once is enough: what follows is the end of the run, which must not fail for the same.
            if self._full:
                return
            self._full = True
            raise not_writable(Path(self._config.getoption("allure_report_dir")), error) from error

    def _details(self, record: CheckRecord) -> StatusDetails | None:
        if record.cause is None:
            return None
        trace = account(self._header, msgspec.structs.replace(record, calls=[]))
        return StatusDetails(known=record.verdict in allure.KNOWN or None, message=headline(record), trace=trace)

    def _links(self, record: CheckRecord) -> Iterator[Link]:
        patterns = dict(self._config.getoption("allure_link_pattern"))
        for kind, name, address in allure.links(record):
            url = patterns[kind].format(name) if kind in patterns else address
            if url:
                yield Link(kind, url, name)


def pytest_configure(config: pytest.Config) -> None:
    """Take part in what allure-pytest does."""
    results = Results(config)
    config.pluginmanager.register(results, "vdi-allure-results")
    allure_commons.plugin_manager.register(results)
    config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(results))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell once what was run against what, and what is wrong with the whole."""
    config = session.config
    if hasattr(config, "workerinput"):
        return
    directory = Path(config.getoption("allure_report_dir"))
    (collector,) = config.stash[COLLECTORS]
    texts = {"environment.properties": allure.environment(collector.header), "categories.json": allure.categories()}
    complaints = collector.footer.complaints if collector.footer else []
    try:
        for name, text in texts.items():
            write(directory / name, text.encode("utf-8", "replace"))
        for complaint in [*complaints, *untested_lines(collector.header, collector.checks)[-1:]]:
            allure_commons.plugin_manager.hook.global_error(message=shown(complaint), trace=None)
    except NotWritable as error:
        config.stash[ENDS].give_up(str(error))
    else:
        collector.written.append(f"results for Allure to {directory}")


def _unfinished(item: pytest.Item) -> CheckRecord:
    requirements = requirements_of(item)
    return CheckRecord(
        id=check_id(item),
        node=item.nodeid,
        requirements=requirements,
        level=level_of(requirements),
        verdict="error",
        duration=0.0,
        cause=Cause(kind="suite", sentence="the run ended during this check"),
    )


def _stamp(seconds: float) -> int:
    return round(seconds * 1000)


def _attach(result: TestResult, name: str, text: str) -> None:
    source = f"{uuid4()}-attachment.txt"
    allure_commons.plugin_manager.hook.report_attached_data(body=shown_lines(text), file_name=source)
    result.attachments.append(Attachment(name=shown(name), source=source, type="text/plain"))


def _attach_picture(result: TestResult, picture: str) -> None:
    source = f"{uuid4()}-attachment.svg"
    allure_commons.plugin_manager.hook.report_attached_data(body=picture, file_name=source)
    result.attachments.append(Attachment(name="calls as a picture", source=source, type="image/svg+xml"))
