"""What processes share, under every pair of conditions: `vdi-conformance conditions` shows them."""

import pytest

from vdi_conformance.conditions import Combination, combinations
from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.harness.varied.body import judge
from vdi_conformance.harness.varied.judged import musts, recommendations, takes_its_time


def _marks(combination: Combination) -> list[pytest.MarkDecorator]:
    marks = [vdi_requirement(*musts(combination)), vdi_requirement(*recommendations(combination))]
    return [*marks, pytest.mark.vdi_timing] if takes_its_time(combination) else marks


@pytest.mark.parametrize("combination", [pytest.param(one, id=one.id, marks=_marks(one)) for one in combinations()])
@vdi_requirement("GBH-02")
def test_sharing_holds_under_conditions(testbed: Testbed, combination: Combination) -> None:
    """Each buffer has its handle, which maps to its memory, and memory stays as long as it must."""
    judge(testbed, combination)
