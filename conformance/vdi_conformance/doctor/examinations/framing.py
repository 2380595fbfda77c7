"""Lines and answers: how requests may come, and what a host must refuse."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from vdi_conformance.doctor.conversation import Death, Silence
from vdi_conformance.doctor.subject import told
from vdi_conformance.host import codes
from vdi_conformance.host.messages import rules
from vdi_conformance.host.messages.client import Close, NewSet, ReleaseSet
from vdi_conformance.host.messages.memory import AllocateMemory, DigestMemory, ReadMemory, WriteMemory
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from vdi_conformance.doctor.conversation import Spoken
    from vdi_conformance.doctor.subject import Examiner

_SIZE: Final = 4096
_BETWEEN_PIECES: Final = 0.02
"""So many seconds lie between two pieces of a request, so that they are two reads."""
_AROUND: Final = 110
"""So many bytes a request to write memory has around the digits, or a few more."""
_LINES: Final = (1_000, 2_500, 10_000, 40_000, 65_536)
"""So many bytes are written to memory in one request, in twice as many digits."""


def lines(examiner: Examiner) -> None:
    """Requests come in one piece or in several, and each is answered once, in one line, under its id."""
    examiner.call(AllocateMemory(size=_SIZE))
    host = examiner.host
    numbers, both = zip(*[host.request("memory.allocate", size=_SIZE) for _ in range(2)], strict=True)
    host.write(b"".join(both))
    _await(examiner, host, numbers, "two requests in one piece")
    number, line = host.request("memory.allocate", size=_SIZE)
    for piece in (line[:9], line[9:40], line[40:-1], line[-1:]):
        host.write(piece)
        examiner.subject.processes.pump(_BETWEEN_PIECES)
    _await(examiner, host, (number,), "a request in four pieces")
    _read_names_alike(examiner)


def _await(examiner: Examiner, host: Spoken, numbers: tuple[int, ...], tried: str) -> None:
    for number in numbers:
        try:
            examiner.reply(AllocateMemory(size=_SIZE), host.answer(number))
        except Silence as silence:
            raise examiner.stop("reads-no-pieces", str(silence), tried) from None


def _read_names_alike(examiner: Examiner) -> None:
    """Name one object in UTF-8 and by escapes."""
    examiner.call(NewSet(set="doctör €\U0001f600"))
    host = examiner.host
    number, line = host.request("set.release", set="NAME")
    host.write(line.replace(b"NAME", rb"doct\u00f6r \u20ac\ud83d\ude00"))
    answer = host.answer(number)
    if answer.error_code == codes.INVALID_PARAMS:
        examiner.found("reads-no-unicode", f"set.release was answered with {told(answer)}", "an id that is not ASCII")
    elif answer.error is not None:
        examiner.reply(ReleaseSet(set="NAME"), answer)


def long_lines(examiner: Examiner) -> None:
    """It reads and writes lines with 64 KiB of memory in hexadecimal."""
    address = examiner.call(AllocateMemory(size=max(_LINES))).address
    longest = 0
    for size in _LINES:
        data = bytes(index * 7 % 251 for index in range(size))
        request = WriteMemory(address=address, data=data.hex())
        length = len(request.data) + _AROUND
        reached = f"a line of {length} bytes" + (f", where one of {longest} was read," if longest else "")
        host = examiner.host
        try:
            answer = host.answer(examiner.send(request, host))
        except (Silence, Death) as ending:
            raise examiner.stop("short-lines", f"{reached} was not: {ending}") from None
        if answer.error is not None:
            raise examiner.stop("short-lines", f"{reached} was not: it was answered with {told(answer)}")
        longest = length
        if examiner.call(DigestMemory(address=address, size=size)).sha256 != hashlib.sha256(data).hexdigest():
            raise examiner.stop("short-lines", f"not all {size} bytes that were written in one line are there")
        if examiner.call(ReadMemory(address=address, size=size)).data.lower() != request.data:
            raise examiner.stop("short-lines", f"the {size} bytes that were read in one line are others")
    examiner.facts.append(f"lines of some {longest} bytes are read and written")


def refusals(examiner: Examiner) -> None:
    """A method that it does not have, and parameters that are wrong, are refused by an error, and it goes on."""
    host = examiner.host
    tried = "a method that there is not"
    try:
        answer = host.answer(host.send("doctor.no_such_method"))
    except Death as death:
        raise examiner.stop("unknown-method-kills", str(death), tried) from None
    if answer.error is None:
        examiner.found("unknown-method-accepted", f"it was answered with {told(answer)}", tried)
    elif answer.error_code != codes.METHOD_NOT_FOUND:
        examiner.found("unknown-method-code", f"it was answered with {told(answer)}", tried)
    for words, method, thread, parameters in (
        ("memory.read without an address", "memory.read", None, {"size": 1}),
        ("memory.read at an address that is a number", "memory.read", None, {"address": 4096, "size": 1}),
        ("memory.read of -1 bytes", "memory.read", None, {"address": "0x1000", "size": -1}),
        ("set.close of a set that was never made", Close(set="s").method, "doctor", {"set": "never made"}),
    ):
        try:
            answer = host.answer(host.send(method, thread, **parameters))
        except Death as death:
            raise examiner.stop("bad-parameters-kill", str(death), words) from None
        if answer.error is None:
            examiner.found("bad-parameters-accepted", f"it was answered with {told(answer)}", words)
        elif answer.error_code not in rules.WHEN:
            came = f"it was answered with {shown(str(answer.error_code))}, which the protocol does not have"
            examiner.found("unknown-error-code", came, words)
        elif answer.error_code != codes.INVALID_PARAMS:
            examiner.found("wrong-error-code", f"it was answered with {told(answer)} instead of -32602", words)
    examiner.call(AllocateMemory(size=_SIZE))
