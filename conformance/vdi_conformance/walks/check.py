"""Walks as a check: how far they came goes on record, and a failure into a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.evidence.records import BEFORE, Walked
from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.host.errors import NothingLearnt
from vdi_conformance.model.matrix import reached
from vdi_conformance.walks.generator import draw_walks
from vdi_conformance.walks.recording import Recording, save
from vdi_conformance.walks.series import WalkSeries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vdi_conformance.harness.testbed import Testbed
    from vdi_conformance.walks.walk import WalkOptions

TOLD: Final = 60
"""So many steps of a walk are told; its file has them all."""


@dataclass(frozen=True)
class Recorder:
    """Where walks that fail are kept, and the name of the check that they are of."""

    directory: Path
    check: str

    @property
    def path(self) -> Path:
        """The file of this check."""
        return self.directory / f"walk-{re.sub('[^a-z0-9]+', '-', self.check.lower()).strip('-')}.json"


def take_walks(
    testbed: Testbed, recorder: Recorder, plan: WalkOptions, weights: Mapping[str, int], walks: int, steps: int
) -> None:
    """Take so many walks of so many steps; fail with a short one where one fails."""
    testbed.need_scripted()
    recorder.path.unlink(missing_ok=True)
    series = WalkSeries(testbed, plan)
    draw_walks(series, weights, testbed.seed, walks, steps)
    testbed.walked = Walked(steps=series.coverage.steps, reached=reached(series.coverage.cells, series.coverage.moves))
    if series.failure is None:
        return
    if isinstance(series.failure, NothingLearnt):
        raise series.failure
    taken, trace, failure = series.shortest()
    if testbed.known_to_fail:
        raise failure
    recording = Recording(
        check=recorder.check,
        seed=testbed.session.parties.seed,
        failure=str(failure),
        trace=trace,
        plan=plan,
        steps=taken,
    )
    save(recorder.path, recording)
    sentence = f"{failure}{BEFORE}{'; '.join(trace[-TOLD:])}; the walk is kept in {recorder.path}"
    if isinstance(failure, ConformanceFailure):
        raise ConformanceFailure(sentence, failure.expected, failure.observed) from failure
    failure.args = (sentence,)
    raise failure
