"""Which checks the suite holds, and what each judges: found as pytest finds them, without starting anything."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from types import MappingProxyType

import pytest

from vdi_conformance.cli.refusal import Refusal
from vdi_conformance.cli.run import FOREIGN, ISOLATING, PACKAGE
from vdi_conformance.plugins.requirements import check_id, rows_of
from vdi_conformance.report.bundle_verification import Held


class _Gatherer:
    """Keeps what was collected."""

    def __init__(self) -> None:
        self.checks: dict[str, Held] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take the checks; what judges nothing is none."""
        self.checks = {
            check_id(item): Held(item.nodeid, tuple(rows)) for item in session.items if (rows := rows_of(item))
        }


@cache
def checks_by_row() -> Mapping[str, tuple[str, ...]]:
    """Give the ids of the checks that judge each requirement, sorted; one that none judges is missing."""
    judged: defaultdict[str, set[str]] = defaultdict(set)
    for id_, held in checks().items():
        for row in held.rows:
            judged[row].add(id_)
    return MappingProxyType({row: tuple(sorted(ids)) for row, ids in judged.items()})


@cache
def checks() -> Mapping[str, Held]:
    """Give every check of the suite by its id."""
    gatherer, told = _Gatherer(), StringIO()
    options = (*ISOLATING, "-p", "vdi_conformance.plugins", "--collect-only", "-qq", "--capture=no", "--assert=plain")
    with pytest.MonkeyPatch.context() as environment, redirect_stdout(told), redirect_stderr(told):
        for variable in FOREIGN:
            environment.delenv(variable, raising=False)
        # Plugins of whoever runs the command have no say, and need not be loaded.
        environment.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        code = pytest.main([*options, str(PACKAGE / "suite")], plugins=[gatherer])
    if code != pytest.ExitCode.OK:
        raise Refusal(f"the checks cannot be found ({_complaint(told.getvalue())}): install vdi-conformance anew.")
    return MappingProxyType(gatherer.checks)


def _complaint(told: str) -> str:
    """Find in what pytest told the line that names the error."""
    lines = [line for line in told.splitlines() if line.strip()]
    errors = [line.removeprefix("E").strip() for line in lines if line.startswith("E ")]
    return (errors or lines or ["pytest gave no reason"])[-1]
