"""Which checks judge each requirement."""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from vdi_conformance.cli.refusal import Refusal
from vdi_conformance.plugins.held import NotFound, held


@cache
def checks_by_row() -> Mapping[str, tuple[str, ...]]:
    """Give the ids of the checks that judge each requirement, sorted; one that none judges is missing."""
    judged: defaultdict[str, set[str]] = defaultdict(set)
    try:
        for check, rows in held().items():
            for row in rows:
                judged[row].add(check)
    except NotFound as error:
        raise Refusal(f"{error}.") from error
    return MappingProxyType({row: tuple(sorted(checks)) for row, checks in judged.items()})
