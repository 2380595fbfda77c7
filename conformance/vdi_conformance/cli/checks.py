"""Which checks the suite holds, and which of them judge each requirement."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from vdi_conformance.cli.refusal import refusing

if TYPE_CHECKING:
    from vdi_conformance.pytest_plugin.collected import Collected


@cache
def checks_by_requirement() -> Mapping[str, tuple[str, ...]]:
    """Give the ids of the checks that judge each requirement, sorted; one that none judges is missing."""
    judged: defaultdict[str, set[str]] = defaultdict(set)
    for id_, check in checks().items():
        for requirement in check.requirements:
            judged[requirement].add(id_)
    return MappingProxyType({requirement: tuple(sorted(ids)) for requirement, ids in judged.items()})


def checks() -> Mapping[str, "Collected"]:
    """Give every check of the suite by its id."""
    # Here, so that the help of a verb that needs them is there at once.
    from vdi_conformance.pytest_plugin.collected import NotFound, held

    with refusing(NotFound):
        return held()
