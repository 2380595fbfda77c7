"""What processes share, under every pair of conditions: `vdi-conformance conditions` shows them."""

from typing import Final

import pytest

from vdi_conformance.conditions import Combination, combinations
from vdi_conformance.conditions.coverage import LEVEL, showing
from vdi_conformance.harness.judging import not_applicable, vdi_requirement
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.varied.body import judge
from vdi_conformance.harness.varied.judged import musts, recommendations, takes_its_time

SHOWING: Final = showing(combinations(), "statement")


def _marks(combination: Combination) -> list[pytest.MarkDecorator]:
    marks = [vdi_requirement(*musts(combination)), vdi_requirement(*recommendations(combination))]
    return [*marks, pytest.mark.vdi_timing] if takes_its_time(combination) else marks


@pytest.fixture
def every_combination(request: pytest.FixtureRequest) -> bool:
    """Whether combinations are tried whose pairs others have too: where the run asks for all, or for this one."""
    config = request.config
    return bool(config.getoption("vdi_every_combination") or config.getoption("vdi_check"))


@pytest.mark.parametrize("combination", [pytest.param(one, id=one.id, marks=_marks(one)) for one in combinations()])
@vdi_requirement("GBH-02")
def test_sharing_holds_under_conditions(testbed: Testbed, combination: Combination, every_combination: bool) -> None:
    """Each buffer has its handle, which maps to its memory, and memory stays as long as it must."""
    with_statement = combination.values[LEVEL] == "statement"
    if with_statement and combination.id not in SHOWING and testbed.can_script and not every_combination:
        not_applicable("a server that is told every step tries its conditions (--every-combination: a statement too)")
    judge(testbed, combination)
