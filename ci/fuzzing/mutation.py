"""Makes hostile inputs of real ones: of bytes, of lines, of JSON, of words. Pure; all is drawn from a Random."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from fuzzing import hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from fuzzing.target import Mutate

    Change = Callable[[Random, bytes], bytes]

LONGEST: Final = 1 << 18
"""Bytes: no input is longer; what is larger than a reader's bounds has tests of its own."""
_MARK: Final = "\ue000hostile\ue000"
_REPEATS: Final = (2, 3, 10, 100)


def bytewise(random: Random, examples: Sequence[bytes]) -> bytes:
    """Change bytes here and there, or put two examples together."""
    data = random.choice(examples)
    if random.randrange(16) == 0:
        other = random.choice(examples)
        data = data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]
    return changed(random, data)


def changed(random: Random, data: bytes) -> bytes:
    """Make a few small changes."""
    for _ in range(1 + random.randrange(4)):
        data = random.choice(_CHANGES)(random, data)
    return data[:LONGEST]


def _span(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((0, 1, 1, 2, 4, 8, 40)))


def _flip(random: Random, data: bytes) -> bytes:
    if not data:
        return bytes([random.randrange(256)])
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << random.randrange(8))]) + data[place + 1 :]


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _drop(random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[end:]


def _repeat(random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[start:end] * random.choice(_REPEATS) + data[end:]


def _put(random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    return data[:start] + random.choice(hostile.PIECES) + data[start if random.randrange(2) else end :]


def _number(random: Random, data: bytes) -> bytes:
    size = random.choice((1, 2, 4, 8))
    value = random.choice(hostile.NUMBERS) + random.choice((0, 0, 1, -1))
    place = random.randrange(len(data) + 1)
    written = (value % (1 << 8 * size)).to_bytes(size, random.choice(("little", "big")))
    return data[:place] + written + data[place + size :]


def _move(random: Random, data: bytes) -> bytes:
    start, end = _span(random, data)
    rest = data[:start] + data[end:]
    place = random.randrange(len(rest) + 1)
    return rest[:place] + data[start:end] + rest[place:]


_CHANGES: Final[tuple[Change, ...]] = (_flip, _flip, _cut, _drop, _repeat, _put, _put, _number, _number, _move)


def linewise(inner: Change = changed, end: bytes = b"\n") -> Mutate:
    """Change, drop, repeat and misorder lines, some of which come from other examples."""

    def mutate(random: Random, examples: Sequence[bytes]) -> bytes:
        lines = random.choice(examples).split(end)
        for _ in range(1 + random.randrange(3)):
            lines = _other_lines(random, lines, examples, inner, end)
        return end.join(lines)[:LONGEST]

    return mutate


def _other_lines(
    random: Random, lines: list[bytes], examples: Sequence[bytes], inner: Change, end: bytes
) -> list[bytes]:
    place = random.randrange(len(lines))
    match random.randrange(8):
        case 0:
            return [*lines[:place], *lines[place + 1 :]] or [b""]
        case 1:
            return [*lines[:place], *[lines[place]] * random.choice(_REPEATS), *lines[place + 1 :]]
        case 2:
            other = random.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]
        case 3:
            lines.insert(place, random.choice(random.choice(examples).split(end)))
        case _:
            lines[place] = inner(random, lines[place])
    return lines


def of_json(random: Random, data: bytes) -> bytes:
    """Change one or two places of a JSON document, or its bytes."""
    if random.randrange(6) == 0:
        return changed(random, data)
    try:
        tree: Any = json.loads(data)
    except (ValueError, RecursionError):
        return changed(random, data)
    for _ in range(1 + random.randrange(2)):
        tree, raw = _other_tree(random, tree)
        data = json.dumps(tree, separators=(",", ":")).encode()
        if raw is not None:
            return data.replace(json.dumps(_MARK).encode(), raw.encode(), 1)
    return data


def documents(random: Random, examples: Sequence[bytes]) -> bytes:
    """Change JSON documents."""
    return of_json(random, random.choice(examples))[:LONGEST]


def _other_tree(random: Random, tree: Any) -> tuple[Any, str | None]:
    """Change one place of a tree; the second is what is to be written in the place of the mark, if anything."""
    parent, key = _place(random, tree)
    if parent is None:
        return _MARK, random.choice(hostile.JSON)
    match random.randrange(8):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, list):
            parent.insert(key, parent[key])
        case 1 if isinstance(parent, dict):
            return tree, _twice(random, parent, key)
        case 2:
            donor, other = _place(random, tree)
            if donor is not None and not isinstance(donor[other], dict | list):
                parent[key] = donor[other]
        case _:
            parent[key] = _MARK
            return tree, random.choice(hostile.JSON)
    return tree, None


def _twice(random: Random, parent: dict[str, Any], key: str) -> str:
    """Have a key stand there twice, or under another name."""
    value = json.dumps(parent[key])
    name = json.dumps(key if random.randrange(2) else f"{key}x")
    parent[key] = _MARK
    return f"{value},{name}:{random.choice(hostile.JSON)}"


def _place(random: Random, tree: Any) -> tuple[Any, Any]:
    """Choose a place: a container, and its key or index; None where the tree has none."""
    parent: Any = None
    key: Any = None
    while isinstance(tree, dict | list) and tree:
        if parent is not None and random.randrange(4) == 0:
            break
        parent = tree
        key = random.choice(list(tree)) if isinstance(tree, dict) else random.randrange(len(tree))
        tree = tree[key]
    return parent, key


def wordwise(words: Sequence[str], cut: Callable[[str], Sequence[str]]) -> Mutate:
    """Put, drop, change and misorder words of a language; `cut` cuts an example into words."""

    def mutate(random: Random, examples: Sequence[bytes]) -> bytes:
        if random.randrange(8) == 0:
            return bytewise(random, examples)
        found = list(cut(random.choice(examples).decode("utf-8", "surrogatepass")))
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            place = random.randrange(len(found) + 1)
            match random.randrange(6):
                case 0:
                    found[place : place + 1] = []
                case 1:
                    found[place:place] = cut(random.choice(examples).decode("utf-8", "surrogatepass"))
                case 2:
                    found[place : place + 1] = found[place : place + 1] * random.choice(_REPEATS)
                case 3:
                    found[place : place + 1] = [random.choice(words)]
                case _:
                    found.insert(place, random.choice(words))
        return " ".join(found).encode("utf-8", "surrogatepass")[:LONGEST]

    return mutate
