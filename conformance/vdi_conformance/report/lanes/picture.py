"""A check's calls as a swim-lane picture, whatever it is drawn with: lanes, boxes, what belongs together; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from vdi_conformance.evidence.records import Call, CheckRecord
from vdi_conformance.report.calls import mark_sentence, refusal, value_of
from vdi_conformance.report.lanes.buffers import Marks, Place, buffers_of
from vdi_conformance.report.lanes.shortening import shortened
from vdi_conformance.untrusted.printable import shown

NAME: Final = 60
"""So many characters has the name of a process, a thread or a method."""
_OWN_WORDS: Final[Mapping[str, str]] = {
    "set.new": "new client object",
    "set.release": "release the object",
    "device.release": "release the device",
    "device.serve": "be an ordinary client",
    "statement.execute": "run the statement",
    "memory.fill": "store bytes",
    "memory.write": "store bytes",
    "memory.load": "store bytes of a file",
    "memory.save": "look at bytes",
    "memory.digest": "look at bytes",
    "memory.read": "look at bytes",
}
_TOLD_OF_A_STATEMENT: Final = ("operation", "devices")
_UNTOLD: Final = frozenset(
    {"set", "server", "instance", "null_out", "config", "seed", "features", "opened", "timeout", "alignment"}
)
"""What would only fill a box: the line of the call has it."""
DIGEST: Final = 12
"""So much of a digest is enough to see whether two are the same."""
_STRUCTURES: Final = ("command", "completion")
_KEYS: Final[Mapping[tuple[str, str], str]] = {("command", "address"): "record", ("answer", "sha256"): "digest"}
"""What a value is called where its own key says too little."""


class Piece(NamedTuple):
    """A value with its key, and the buffer that it is of."""

    key: str
    value: str
    buffer: int | None = None

    @property
    def text(self) -> str:
        """The value as it is told; what a call gave as its code needs no key."""
        return self.value if self.key == "code" else f"{self.key} {self.value}"


@dataclass(frozen=True)
class Lane:
    """A process, with the labels of the threads on which it made calls."""

    process: str
    threads: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """One call in its lane, from the row in which it began to the last one that began before it ended.

    `open` says that it had not ended when the last one began, `milliseconds` how long it took, where it came to an end.
    """

    number: int
    lane: int
    thread: int
    first: int
    last: int
    open: bool
    milliseconds: float | None
    name: str
    given: tuple[Piece, ...]
    answer: tuple[Piece, ...]


@dataclass(frozen=True)
class Gap:
    """So many calls are left out before the call of a row."""

    before: int
    calls: int


@dataclass(frozen=True)
class Mark:
    """The row of the call that should have been answered otherwise; `judge` says so."""

    row: int
    judge: str
    sentence: str


@dataclass(frozen=True)
class Picture:
    """What is drawn: a row for each box, in the order in which the calls began."""

    lanes: tuple[Lane, ...]
    boxes: tuple[Box, ...]
    gaps: tuple[Gap, ...]
    mark: Mark | None

    @property
    def summary(self) -> str:
        """Say in a sentence what there is to see."""
        calls, processes = len(self.boxes), len(self.lanes)
        told = f"{calls} call{'s' * (calls != 1)} of {processes} process{'es' * (processes != 1)}"
        if self.mark is None:
            return told
        box = self.boxes[self.mark.row]
        return f"{told}; call {box.number}, {box.name} in {self.lanes[box.lane].process}: {self.mark.sentence}"


def letter(buffer: int) -> str:
    """Give the name of a buffer: A, B, and so on, AA after Z."""
    return (letter(buffer // 26 - 1) if buffer >= 26 else "") + chr(ord("A") + buffer % 26)


def picture_of(check: CheckRecord) -> Picture | None:
    """Give the picture of a check; None where it has no calls."""
    calls = sorted(check.calls, key=lambda call: call.number)
    if not calls:
        return None
    buffers = buffers_of(calls)
    drawn = shortened(calls, check.unexpected.call if check.unexpected else calls[-1].number)
    threads = _threads(drawn)
    boxes = tuple(_box(row, drawn, threads, buffers[call.number]) for row, call in enumerate(drawn))
    lanes = tuple(Lane(shown(name, NAME), tuple(shown(one, NAME) for one in used)) for name, used in threads.items())
    return Picture(lanes, boxes, tuple(_gaps(drawn)), _mark(check, drawn))


def _threads(calls: Sequence[Call]) -> dict[str, list[str]]:
    """Give the processes with their threads: who serves stands at the left, clients in their order."""
    threads: dict[str, dict[str, None]] = {}
    for call in calls:
        threads.setdefault(call.process, {})[call.thread] = None
    servers = {call.process for call in calls if call.method.startswith(("server.", "statement."))}
    names = sorted(threads, key=lambda process: (process not in servers, _order(process)))
    return {name: list(threads[name]) for name in names}


def _order(process: str) -> tuple[str, int]:
    """Keep clients in the order of their numbers; primary comes before secondary by its name."""
    word, _, number = process.rpartition(" ")
    return (word, int(number)) if number.isdecimal() and len(number) < NAME else (process, 0)


def _box(row: int, drawn: Sequence[Call], threads: Mapping[str, Sequence[str]], buffers: Marks) -> Box:
    call = drawn[row]
    end = call.end
    last = row
    while last + 1 < len(drawn) and (end is None or drawn[last + 1].begin < end):
        last += 1
    return Box(
        number=call.number,
        lane=[*threads].index(call.process),
        thread=threads[call.process].index(call.thread),
        first=row,
        last=last,
        open=end is None,
        milliseconds=None if end is None else end - call.begin,
        name=name_of(call),
        given=tuple(_pieces("params", _given(call), buffers)),
        answer=tuple(_answered(call, buffers)),
    )


def name_of(call: Call) -> str:
    """Name a call as the documents name the method, and what is no method by plain words."""
    receiver, _, method = call.method.partition(".")
    if call.method in _OWN_WORDS:
        return _OWN_WORDS[call.method]
    if receiver in ("set", "device", "server"):
        return shown("".join(word.capitalize() for word in method.split("_")), NAME)
    return shown(f"{method.replace('_', ' ')} {receiver}" if method else call.method, NAME)


def _given(call: Call) -> Mapping[str, Any]:
    if call.method == "statement.execute":
        return {key: value for key, value in call.params.items() if key in _TOLD_OF_A_STATEMENT}
    return call.params


def _pieces(where: str, values: Mapping[str, Any], buffers: Marks) -> Iterator[Piece]:
    for key, value in values.items():
        if key in _STRUCTURES and isinstance(value, dict):
            yield from _pieces(key, value, buffers)
        elif key not in _UNTOLD and value is not None and not (where in _STRUCTURES and value in (0, "0x0")):
            told = value_of(where, key, value)
            if key == "sha256":
                told = told[:DIGEST]
            yield Piece(_KEYS.get((where, key)) or shown(key, NAME), told, buffers.get(Place(where, key)))


def _answered(call: Call, buffers: Marks) -> Iterator[Piece]:
    match call.answer:
        case None:
            yield Piece("code", "no answer")
        case str(sentence):
            yield Piece("code", refusal(sentence))
        case answer:
            yield from _pieces("answer", answer, buffers)


def _gaps(drawn: Sequence[Call]) -> Iterator[Gap]:
    before = 0
    for row, call in enumerate(drawn):
        if call.number - before > 1:
            yield Gap(row, call.number - before - 1)
        before = call.number


def _mark(check: CheckRecord, drawn: Sequence[Call]) -> Mark | None:
    found = check.unexpected
    row = next((row for row, call in enumerate(drawn) if found and call.number == found.call), None)
    if found is None or row is None:
        return None
    return Mark(row, found.judge, mark_sentence(found))
