"""What happens to a process at each step of a BACKUP and of a RESTORE, and what must come of it for all others."""

import pytest

from vdi_conformance.conditions import Combination
from vdi_conformance.crash_points import everyday, points
from vdi_conformance.harness.judging import vdi_requirement
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.walks.crashes.consequences import judged
from vdi_conformance.walks.crashes.point import judge


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every crash point where the run asks for all or names checks, and otherwise those of every run."""
    asked = ("vdi_crash_points", "vdi_check", "vdi_failed_in")
    chosen = points() if any(map(metafunc.config.getoption, asked)) else everyday()
    metafunc.parametrize("point", [pytest.param(one, id=one.id, marks=_marks(one)) for one in chosen])


def _marks(point: Combination) -> list[pytest.MarkDecorator]:
    marks = [vdi_requirement(*ids) for level in ("MUST", "SHOULD") if (ids := judged(point.values, level))]
    timed = (point.values["event"], point.values["process"]) == ("timed out", "server")
    return [*marks, pytest.mark.vdi_timing] if timed else marks


@pytest.mark.vdi_crash_point
@vdi_requirement("CMP-20")
def test_a_crash_point_is_survived(testbed: Testbed, point: Combination) -> None:
    """Whatever happens to a process, each call of all others gives what the documents permit, and sets can be made."""
    judge(testbed, point.values)
