"""Fixtures of the checks: a stage of their own, and the usual scenes on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from vdi_conformance.suite.bench import Bench
from vdi_conformance.suite.judging import judged_party, not_applicable
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.participant import Participant
from vdi_conformance.suite.scripted import Scripted
from vdi_conformance.suite.stage import ENDED, KNOWN_TO_FAIL, STAGE, Stage
from vdi_conformance.suite.walks.judged import Recorder

SCENES = ("operation", "backup", "restore", "scripted")


@pytest.fixture
def stage(request: pytest.FixtureRequest, vdi_bench: Bench) -> Iterator[Stage]:
    """Start processes for this check alone, and hold the invariants unless it was broken off."""
    judged = judged_party(request.node)
    if judged == "server" and not vdi_bench.cast.judges_server:
        not_applicable("it judges the server role, and the adapter declares none of its own (server_under_test)")
    stage = Stage(vdi_bench, request.node.nodeid, request.node.stash.get(KNOWN_TO_FAIL, False), judged)
    request.node.stash[STAGE] = stage
    try:
        yield stage
        ended = request.node.stash.get(ENDED, None)
        if ended is None:
            stage.check_invariants()
        elif ended == "warned":
            stage.check_duties()
    except BaseException as failure:
        stage.other_cause(failure)
        stage.processes.end(orderly=False)
        raise
    stage.processes.end(orderly=ended != "broken off")


@pytest.fixture(params=["backup", "restore"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Say each of the two directions."""
    return cast("Kind", request.param)


@pytest.fixture
def operation(stage: Stage, kind: Kind) -> Operation:
    """Run a BACKUP, and a RESTORE, over one device of the primary."""
    return stage.operation(kind)


@pytest.fixture
def backup(stage: Stage) -> Operation:
    """Run a BACKUP over one device of the primary."""
    return stage.backup()


@pytest.fixture
def restore(stage: Stage) -> Operation:
    """Run a RESTORE over one device of the primary."""
    return stage.restore()


@pytest.fixture
def scripted(stage: Stage) -> Scripted:
    """Run a set with one device of the primary, whose server is told every step."""
    return stage.scripted()


@pytest.fixture
def secondary(request: pytest.FixtureRequest, stage: Stage) -> Participant:
    """Start a further process that joins the check's set and opens no device."""
    scene = next(name for name in SCENES if name in request.fixturenames)
    return stage.secondary(request.getfixturevalue(scene))


@pytest.fixture
def recorder(request: pytest.FixtureRequest) -> Recorder:
    """Keep what fails beside the evidence, or in the current directory where none is written."""
    evidence = request.config.getoption("vdi_evidence")
    return Recorder(Path(evidence).parent if evidence else Path(), request.node.name.removeprefix("test_"))
