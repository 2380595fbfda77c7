"""Makes the combinations of conditions: run it after a change of axes, constraints or triples; it takes a minute.

Every pair of values that can go together is in one of them, for each server level, and every triple of those axes that
triples.tsv names. The fewest combinations of several attempts are kept. Where a combination has a value that costs
time and that it is not needed for, it gets a cheaper one.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from covertable import make

from vdi_conformance.conditions import Axis, Constraint, axes, constraints, triples
from vdi_conformance.conditions.coverage import LEVEL

PATH: Final = Path(__file__).parent.parent / "conformance/vdi_conformance/conditions/data/combinations.tsv"
COMMENT: Final = "# Made by ci/conditions.py from axes.tsv, constraints.tsv and triples.tsv."
ATTEMPTS: Final = 4
CHEAPER: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "meanwhile": ("nothing",),
        "devices": ("2", "3"),
        "processes": ("3", "2"),
        "areas": ("2", "1"),
        "before": ("nothing", "refused call"),
        "transfer": ("64 KiB", "192 KiB"),
        "zone": ("512", "0"),
        "buffers": ("2",),
        "pool": ("as it comes",),
        "mapping": ("one other",),
    }
)
"""What takes the place of other values, the best first."""
PROCESSES: Final = "processes"
ALONE: Final = "1"
"""So many processes share nothing: pairs of other axes that came together with it alone would show little."""
HOLDER_KILLED: Final = ("meanwhile", "holder killed")
BEREFT: Final[Sequence[Mapping[str, frozenset[str]]]] = tuple(
    {axis: frozenset({value}) for axis, value in (HOLDER_KILLED, *others)}
    for others in ([("devices", "1")], [("fetching", "secondary"), (PROCESSES, "2")])
)
"""Where everything that was held is gone with its holder: pairs that came together there alone would show little."""
DEAR: Final = frozenset(
    {
        "time limit",
        "64",
        "20",
        "17",
        "9",
        "many calls",
        "aborted set",
        "4 MiB",
        "65536",
        "256 MiB",
        "64 MiB",
        "all others",
    }
)
"""Values that cost time."""


def combinations() -> Iterator[tuple[str, Mapping[str, str]]]:
    """Give the combinations of every server level with their ids."""
    (levels,) = (axis.values for axis in axes() if axis.name == LEVEL)
    for level in levels:
        for number, row in enumerate(_fewest(level.name), 1):
            yield f"{level.name}-{number:03}", {LEVEL: level.name, **row}


def _fewest(level: str) -> list[dict[str, str]]:
    """Cover everything where several processes share, and what one process or one device by itself adds to that."""
    rest = [terms for constraint in constraints() if (terms := _within(level, constraint))]
    conditions, left = ([_condition(terms) for terms in given] for given in (rest, [*rest, *BEREFT]))
    factors = {axis.name: [value.name for value in axis.values] for axis in axes() if axis.name != LEVEL}
    several = factors | {PROCESSES: [value for value in factors[PROCESSES] if value != ALONE]}
    attempts = [_made(several, left, 2, str(number)) for number in range(ATTEMPTS)]
    alone = [_made(factors | {PROCESSES: [ALONE]}, conditions, 1, str(number)) for number in range(ATTEMPTS)]
    bereft = _made(several | {axis: list(values) for axis, values in BEREFT[0].items()}, conditions, 1, "0")[:1]
    return _telling(_cheapened(min(attempts, key=len) + min(alone, key=len) + bereft, [*rest, *BEREFT]))


def _telling(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Put first what has the most values that nothing before it has: a few combinations then have all of them."""
    left, ordered = list(rows), list[dict[str, str]]()
    seen: set[tuple[str, str]] = set()
    while left:
        best = max(left, key=lambda row: len(row.items() - seen))
        left.remove(best)
        ordered.append(best)
        seen |= best.items()
    return ordered


def _cheapened(rows: list[dict[str, str]], rest: Sequence[Mapping[str, frozenset[str]]]) -> list[dict[str, str]]:
    """Replace what is dear and covered elsewhere too."""
    counts = Counter(key for row in rows for key in _covered(row))
    for axis, cheaper in CHEAPER.items():
        for row in rows:
            for value in cheaper if row[axis] in DEAR else ():
                other = {**row, axis: value}
                lost = set(_covered(row)) - set(_covered(other))
                if any(all(other[name] in never for name, never in terms.items()) for terms in rest):
                    continue
                if all(counts[key] > 1 for key in lost):
                    counts.subtract(_covered(row))
                    counts.update(_covered(other))
                    row[axis] = value
                    break
    return rows


def _covered(row: Mapping[str, str]) -> list[tuple[tuple[str, str], ...]]:
    """Give the pairs and triples that a combination has."""
    sharing = [(name, row[name]) for name in triples()]
    return [*itertools.combinations(row.items(), 2), *itertools.combinations(sharing, 3)]


def _made(
    factors: Mapping[str, list[str]], conditions: Sequence[Any], strength: int, salt: str
) -> list[dict[str, str]]:
    models = [{"fields": list(triples()), "strength": strength + 1}]
    rows = make(dict(factors), strength=strength, constraints=list(conditions), sub_models=models, salt=salt)
    return [{axis: row[axis] for axis in factors} for row in rows]


def _within(level: str, constraint: Constraint) -> dict[str, frozenset[str]]:
    """Give what a constraint forbids at this level beside it; nothing where it is about another one."""
    if level not in constraint.never.get(LEVEL, {level}):
        return {}
    return {axis: values for axis, values in constraint.never.items() if axis != LEVEL}


def _condition(terms: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    return {
        "operator": "or",
        "conditions": [
            {"operator": "not", "condition": {"operator": "in", "left": axis, "values": sorted(values)}}
            for axis, values in terms.items()
        ],
    }


def written(all_axes: Sequence[Axis], rows: Iterable[tuple[str, Mapping[str, str]]]) -> str:
    """Give the text of the file."""
    names = [axis.name for axis in all_axes]
    lines = ["\t".join(["id", *names]), *("\t".join([id, *(row[name] for name in names)]) for id, row in rows)]
    return "\n".join([COMMENT, *lines]) + "\n"


if __name__ == "__main__":
    PATH.write_text(written(axes(), combinations()), encoding="utf-8")
