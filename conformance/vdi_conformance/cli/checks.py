"""Which checks the suite holds, and which of them judge each requirement."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from vdi_conformance.cli.refusal import Refusal
from vdi_conformance.plugins.held import NotFound, held
from vdi_conformance.report.bundle_verification import Held


@cache
def checks_by_row() -> Mapping[str, tuple[str, ...]]:
    """Give the ids of the checks that judge each requirement, sorted; one that none judges is missing."""
    judged: defaultdict[str, set[str]] = defaultdict(set)
    for id_, check in checks().items():
        for row in check.rows:
            judged[row].add(id_)
    return MappingProxyType({row: tuple(sorted(ids)) for row, ids in judged.items()})


def checks() -> Mapping[str, Held]:
    """Give every check of the suite by its id."""
    try:
        return held()
    except NotFound as error:
        raise Refusal(f"{error}.") from error
