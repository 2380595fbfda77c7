"""What a lost worker of pytest-xdist had not run yet: not tested, unless another worker has run it."""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import pytest

from vdi_conformance.evidence.records import NOT_TESTED, Cause, CheckRecord
from vdi_conformance.pytest_plugin.checks import id_of_node, level_of
from vdi_conformance.pytest_plugin.collected import Collected
from vdi_conformance.pytest_plugin.machines import apart, machine_of
from vdi_conformance.untrusted.printable import shown

REASON: Final = 200
"""So many characters are told of why a worker was lost."""
_WORDS: Final = {"Not properly terminated": "its connection ended"}
"""What pytest-xdist says, and what that means."""


class Lost:
    """Notes which checks there are to run in each place, and which workers were lost."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._collected: dict[str, set[str]] = {}
        self._reasons: dict[str, str] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Note what a worker has collected."""
        self._collected.setdefault(self._where(node), set()).update(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Note a worker that did not end as it should."""
        if error:
            visited = machine_of(self._config, node)
            name = node.gateway.id if visited is None else visited.place.name
            *_, reason = str(error).strip().splitlines() or [""]
            reason = _WORDS.get(reason, reason)
            self._reasons.setdefault(self._where(node), shown(f"the worker on {name} was lost ({reason})", REASON))

    def not_run(
        self, place: str, recorded: AbstractSet[str], held: Callable[[], Mapping[str, Collected]]
    ) -> Iterator[CheckRecord]:
        """Give a record of each check that a place, or the whole run (""), owes since a worker was lost.

        `recorded` are the node ids of those that have a record. Where a place was lost before it had told its checks,
        it owes those of all others.
        """
        if (why := self._reasons.get(place)) is None:
            return
        owed = self._collected.get(place) or set[str]().union(*self._collected.values())
        for node in sorted(owed - recorded):
            id_ = id_of_node(node)
            if id_ != node:
                yield _record(id_, node, held().get(id_), f"{why} before it ran this check: see to it, then run again")

    def _where(self, node: Any) -> str:
        """Name the place that has verdicts of its own; all have the same where checks are spread over them."""
        visited = machine_of(self._config, node)
        return visited.place.name if visited is not None and apart(self._config) else ""


def _record(id_: str, node: str, held: Collected | None, sentence: str) -> CheckRecord:
    requirements = list(held.requirements) if held is not None else []
    return CheckRecord(
        id=id_,
        node=node,
        requirements=requirements,
        level=level_of(requirements) if requirements else "MUST",
        verdict=NOT_TESTED,
        duration=0.0,
        cause=Cause(kind=NOT_TESTED, sentence=sentence),
        about=held.about if held is not None else "",
    )
