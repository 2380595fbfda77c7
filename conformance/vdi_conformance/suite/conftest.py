"""Fixtures of the checks: a testbed of their own, and the usual sets on it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from vdi_conformance.harness.client import Client
from vdi_conformance.harness.early_starts import EarlyStart, start_of
from vdi_conformance.harness.endurance import SIZES, Endurance, Progress
from vdi_conformance.harness.judging import judged_party, not_applicable
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import ENDED, EXAMPLES, KNOWN_TO_FAIL, TESTBED, Testbed
from vdi_conformance.harness.worker_session import SECONDS_A_CHECK, WorkerSession

if TYPE_CHECKING:
    from vdi_conformance.walks.check import Recorder

SETS = ("statement", "backup", "restore", "scripted")


@pytest.fixture
def testbed(request: pytest.FixtureRequest, vdi_session: WorkerSession) -> Iterator[Testbed]:
    """Start processes for this check alone, and hold the invariants unless it was broken off."""
    judged = judged_party(request.node)
    if judged == "server" and not vdi_session.parties.judges_server:
        not_applicable("it judges the server role, and the adapter declares none of its own (server_under_test)")
    known_to_fail = request.node.stash.get(KNOWN_TO_FAIL, False)
    asked = SIZES.get(request.config.getoption("vdi_endurance"))
    seconds = SECONDS_A_CHECK if asked is None else asked.seconds
    examples = request.node.stash.get(EXAMPLES, None)
    testbed = Testbed(vdi_session, request.node.nodeid, known_to_fail, judged, seconds, examples)
    with _held_to_account(request, testbed):
        yield testbed


@contextmanager
def _held_to_account(request: pytest.FixtureRequest, testbed: Testbed) -> Iterator[None]:
    """Note the testbed of a check, hold the invariants at its end, and end its processes."""
    request.node.stash[TESTBED] = testbed
    try:
        yield
        ended = request.node.stash.get(ENDED, None)
        if ended is None:
            testbed.check_invariants()
        elif ended == "warned":
            testbed.check_duties()
    except BaseException as failure:
        testbed.other_cause(failure)
        testbed.processes.end(orderly=False)
        raise
    testbed.processes.end(orderly=ended != "broken off")


@pytest.fixture
def endurance(request: pytest.FixtureRequest) -> Endurance:
    """Say how far a check of endurance goes."""
    return SIZES[request.config.getoption("vdi_endurance")]


@pytest.fixture
def progress(request: pytest.FixtureRequest) -> Progress:
    """Tell on standard error how far a check has come, which workers share with who asked; not within a proof."""
    if request.config.getoption("vdi_proof"):
        return Progress("", None)
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tell(sentence: str) -> None:
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            sys.stderr.write(f"{sentence}\n")
            sys.stderr.flush()

    return Progress(request.node.name.removeprefix("test_"), tell)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put those last for whom something was begun before the first."""
    items.sort(key=lambda item: start_of(item) is not None)


@pytest.fixture(scope="session", autouse=True)
def early_starts(request: pytest.FixtureRequest, vdi_session: WorkerSession) -> Iterator[dict[str, EarlyStart[Any]]]:
    """Begin what takes seconds before the first check of this worker."""
    wanted = {item.nodeid: start for item in request.session.items if (start := start_of(item)) is not None}
    begun = {node: EarlyStart(Testbed(vdi_session, node), start) for node, start in wanted.items()}
    yield begun
    for left in begun.values():
        left.testbed.processes.end(orderly=False)


@pytest.fixture
def early_start(
    request: pytest.FixtureRequest, vdi_session: WorkerSession, early_starts: dict[str, EarlyStart[Any]]
) -> Iterator[EarlyStart[Any]]:
    """Give what was begun for this check; where nothing was, it begins now."""
    early, start = early_starts.pop(request.node.nodeid, None), start_of(request.node)
    if early is None and start is not None:
        early = EarlyStart(Testbed(vdi_session, request.node.nodeid), start)
    assert early is not None, "the check does not say what is to be begun"
    vdi_session.begin()
    with _held_to_account(request, early.testbed):
        early.raise_failure()
        yield early


@pytest.fixture(params=["backup", "restore"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Say each of the two directions."""
    return cast("Kind", request.param)


@pytest.fixture
def statement(testbed: Testbed, kind: Kind) -> StatementRun:
    """Run a BACKUP, and a RESTORE, over one device of the primary."""
    return testbed.statement(kind)


@pytest.fixture
def backup(testbed: Testbed) -> StatementRun:
    """Run a BACKUP over one device of the primary."""
    return testbed.backup()


@pytest.fixture
def restore(testbed: Testbed) -> StatementRun:
    """Run a RESTORE over one device of the primary."""
    return testbed.restore()


@pytest.fixture
def scripted(testbed: Testbed) -> ScriptedSet:
    """Run a set with one device of the primary, whose server is told every step."""
    return testbed.scripted()


@pytest.fixture
def secondary(request: pytest.FixtureRequest, testbed: Testbed) -> Client:
    """Start a further process that joins the check's set and opens no device."""
    placement = next(name for name in SETS if name in request.fixturenames)
    return testbed.secondary(request.getfixturevalue(placement))


@pytest.fixture
def recorder(request: pytest.FixtureRequest) -> "Recorder":
    """Keep what fails beside the evidence, or in the current directory where none is written."""
    # Here, since Hypothesis, which it needs, takes as long as all else that a run begins with.
    from vdi_conformance.walks.check import Recorder

    evidence = request.config.getoption("vdi_evidence")
    return Recorder(Path(evidence).parent if evidence else Path(), request.node.name.removeprefix("test_"))
