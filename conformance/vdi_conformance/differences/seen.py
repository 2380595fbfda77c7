"""What is seen of a step, in a form that can be compared between adapters and between runs. Pure.

Numbers that mean nothing outside their process are told by what they are to others: a buffer is that of command 1, a
handle the one that was given before. Each thing that is seen has a name, such as `code` or `bytes`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.contract import OUT_UNTOUCHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Seen = dict[str, str]
"""What was seen of one step, by the names of things."""

CODE: Final = "code"
"""The HRESULT of a call, or what came instead of one."""
NUMBERS: Final = frozenset(
    {"buffer area", "distance", "place", "spread", "number", "threads", "handles", "shared memory"}
)
"""What every implementation chooses as it likes: looked at where nothing else differs."""
IMPOSSIBLE: Final = MappingProxyType({CODE: "not possible here"})
"""What is seen of a step that needs what there is not, such as a command that nobody handed out."""
ENDED: Final = "the process ended"
WAITS: Final = "still waits"
SHORT: Final = 1 << 32


def differing(one: Seen, other: Seen, *, numbers: bool) -> list[str]:
    """Name what differs: things that have a meaning, or `numbers` that every implementation chooses."""
    names = dict.fromkeys([*one, *other])
    return [name for name in names if (name in NUMBERS) is numbers and one.get(name) != other.get(name)]


def first_difference(one: Sequence[Seen], other: Sequence[Seen], *, numbers: bool) -> int | None:
    """Give the place of the first step of which something else was seen."""
    pairs = enumerate(zip(one, other, strict=True))
    return next((place for place, (left, right) in pairs if differing(left, right, numbers=numbers)), None)


def left_behind(value: int | None, bits: int = 64) -> str:
    """Say what a failed call has left in its out variable."""
    if value is None or not value:
        return "null"
    return "untouched" if value == OUT_UNTOUCHED & ((1 << bits) - 1) else "something else"


def placed(address: int) -> str:
    """Say where an address lies."""
    return "below 4 GiB" if address < SHORT else "above 4 GiB"


def spread(address: int, other: int) -> str:
    """Say whether two addresses of a process lie near each other."""
    return "near" if abs(address - other) < SHORT else "far"


def apart(number: int, first: int) -> str:
    """Say how far a number is from the first of its kind."""
    return f"{number - first:+#x}" if number != first else "the first"


def among(value: int, known: Iterable[tuple[int, str]], otherwise: str) -> str:
    """Say what a number has been before."""
    return next((name for other, name in known if other == value), otherwise)


def in_words(seen: Mapping[str, str], names: Iterable[str] | None = None) -> str:
    """Tell what was seen, of all things or of those that are named."""
    told = [name for name in (seen if names is None else names) if name in seen]
    return ", ".join(seen[name] if name == CODE else f"{name}: {seen[name]}" for name in told) or "nothing of it"
