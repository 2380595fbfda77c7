"""The methods of memory, and numbers of 64 bits."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from vdi_conformance.doctor.conversation import Death
from vdi_conformance.doctor.subject import told
from vdi_conformance.host import codes
from vdi_conformance.host.child.memory import PATTERN, expand
from vdi_conformance.host.messages.client import GetBufferHandle, MapBufferHandle, NewSet
from vdi_conformance.host.messages.memory import (
    AllocateMemory,
    DigestMemory,
    FillMemory,
    FindOutsideAddresses,
    LoadMemory,
    ReadMemory,
    ReserveMemory,
    SaveMemory,
    WriteMemory,
)
from vdi_conformance.untrusted.bounds import MOST_SEED

if TYPE_CHECKING:
    from typing import Any

    from vdi_conformance.doctor.subject import Examiner
    from vdi_conformance.host.messages.base import Request

_SIZE: Final = 4 * PATTERN
_SEED: Final = 7
_FILLED: Final = 3 * PATTERN + 12
_HIGHEST: Final = 0xFFFFFFFFFFFFFFFF
_BEYOND_DOUBLES: Final = (1 << 53) + 1
_LABEL: Final = "doctor"


def numbers(examiner: Examiner) -> None:
    """Numbers keep all of their bits: addresses 64, seeds 53, HRESULTs and handles 32, unsigned."""
    address = examiner.call(AllocateMemory(size=_SIZE)).address
    _check_usable(examiner, int(address, 16))
    examiner.call(NewSet(set="numbers"))
    full: tuple[Request[Any], ...] = (
        GetBufferHandle(set="numbers", address=hex(_HIGHEST), thread=_LABEL),
        GetBufferHandle(set="numbers", address=hex(_BEYOND_DOUBLES), thread=_LABEL),
        MapBufferHandle(set="numbers", handle=0xFFFFFFFF, thread=_LABEL),
    )
    for request in full:
        answer = examiner.refusal(request)
        if answer.error_code == codes.INVALID_PARAMS:
            examiner.found("large-value-refused", f"{request.method} was answered with {told(answer)}")
        else:
            examiner.reply(request, answer)
    _check_large_seed(examiner, address)


def _check_large_seed(examiner: Examiner, address: str) -> None:
    """Fill memory by the largest seed; another formula is found by other means."""
    examiner.call(FillMemory(address=address, size=64, seed=MOST_SEED))
    seen = _read(examiner, int(address, 16), 64)
    for taken in (MOST_SEED & 0xFFFFFFFF, -1, 0x7FFFFFFF, MOST_SEED - 1, MOST_SEED + 1):
        if seen == expand(taken, 64):
            examiner.found("seed-is-cut", f"memory.fill took the seed {MOST_SEED} for {taken}", "the largest seed")


def _check_usable(examiner: Examiner, address: int) -> None:
    """Require memory to be where the host says that it has allocated it."""
    answer = examiner.refusal(ReadMemory(address=hex(address), size=16))
    if answer.error_code != codes.MEMORY_FAULT:
        return
    process = examiner.subject.initialized
    came = f"memory.allocate gave {address:#x}, where nothing can be read"
    is_short = address < 1 << 32 and process is not None and process.process.pointer_bytes == 8
    raise examiner.stop("address-is-cut" if is_short else "memory-not-kept", came, "memory at an address above 2**32")


def contents(examiner: Examiner) -> None:
    """Memory is zero when it is fresh, keeps what is written, and is filled by the published formula."""
    address = int(examiner.call(AllocateMemory(size=_SIZE)).address, 16)
    if any(_read(examiner, address, _SIZE)):
        examiner.found("memory-not-zeroed", f"the {_SIZE} bytes that memory.allocate gave are not all zero")
    written = bytes(range(1, 200))
    examiner.call(WriteMemory(address=hex(address + 5), data=written.hex()))
    if (seen := _read(examiner, address + 5, len(written))) != written:
        came = f"{seen[:8].hex(' ')} … was read where {written[:8].hex(' ')} … was written"
        raise examiner.stop("memory-not-kept", came)
    _check_fill(examiner, address)
    held = _read(examiner, address, _FILLED)
    given = examiner.call(DigestMemory(address=hex(address), size=_FILLED)).sha256
    if given != (wanted := hashlib.sha256(held).hexdigest()):
        came = f"the digest of {_FILLED} bytes is {given}, where that of what is read is {wanted}"
        examiner.found("digest-differs", came)


def _check_fill(examiner: Examiner, address: int) -> None:
    examiner.call(WriteMemory(address=hex(address + _FILLED), data="00" * 16))
    examiner.call(FillMemory(address=hex(address), size=_FILLED, seed=_SEED))
    seen, wanted = _read(examiner, address, _FILLED + 16), expand(_SEED, _FILLED)
    if any(seen[_FILLED:]):
        examiner.found("fill-differs", f"memory.fill of {_FILLED} bytes wrote more")
    if seen[:_FILLED] == wanted:
        return
    offset = next(index for index, byte in enumerate(wanted) if seen[index] != byte)
    place = slice(offset - offset % 8, offset - offset % 8 + 8)
    came = (
        f"with the seed {_SEED} there is {seen[place].hex(' ')} at offset {place.start}, "
        f"where the formula gives {wanted[place].hex(' ')}"
    )
    examiner.found("fill-repeats" if offset >= PATTERN else "fill-differs", came)


def files(examiner: Examiner) -> None:
    """Memory is saved into a file and loaded from it, at any place of both."""
    path = Path(examiner.subject.processes.directory) / "doctor.bin"
    before, size, offset = bytes(range(256)) * 40, 2 * PATTERN + 77, 1000
    path.write_bytes(before)
    address = int(examiner.call(AllocateMemory(size=_SIZE)).address, 16)
    examiner.call(FillMemory(address=hex(address), size=size, seed=_SEED))
    held = _read(examiner, address, size)
    saved = examiner.call(SaveMemory(address=hex(address), size=size, path=str(path), offset=offset))
    kept, wanted = path.read_bytes(), before[:offset] + held + before[offset + size :]
    if kept != wanted:
        came = f"memory.save at offset {offset} changed other bytes of a file than its own"
        if len(kept) != len(wanted):
            came = f"memory.save left a file of {len(kept)} bytes, which should have {len(wanted)}"
        examiner.found("file-differs", came)
    target = int(examiner.call(AllocateMemory(size=_SIZE)).address, 16)
    path.write_bytes(wanted)
    loaded = examiner.call(LoadMemory(address=hex(target), size=size, path=str(path), offset=offset))
    if _read(examiner, target, size) != held:
        examiner.found("file-differs", f"memory.load from offset {offset} left other bytes than the file has")
    if {saved.sha256, loaded.sha256} != {hashlib.sha256(held).hexdigest()}:
        examiner.found("digest-differs", "memory.save or memory.load gave another digest than that of the bytes")
    answer = examiner.refusal(LoadMemory(address=hex(target), size=_SIZE, path=str(path), offset=len(wanted) - 10))
    if answer.error is None:
        examiner.found("short-file-accepted", f"memory.load beyond the end of a file was answered with {told(answer)}")


def places(examiner: Examiner) -> None:
    """Addresses outside of every set are those that are asked for, and reserved address space has no access."""
    found = examiner.call(FindOutsideAddresses())
    again = examiner.call(FindOutsideAddresses())
    if found != again:
        examiner.found("outside-addresses", "memory.outside_addresses gave others when it was asked again")
    plain: dict[str, str] = msgspec.to_builtins(found)
    if len(set(plain.values())) != len(plain):
        examiner.found("outside-addresses", f"two of them are the same: {', '.join(plain.values())}")
    for kind, address in plain.items():
        if (readable := _can_be_read(examiner, address)) != (kind != "unmapped"):
            state = "can" if readable else "cannot"
            examiner.found("outside-addresses", f"{kind}, which is {address}, {state} be read")
    reserved = examiner.call(ReserveMemory(size=65536)).address
    if _can_be_read(examiner, reserved):
        examiner.found("reservation-usable", f"what memory.reserve gave at {reserved} can be read")


def _can_be_read(examiner: Examiner, address: str) -> bool:
    try:
        return examiner.refusal(ReadMemory(address=address, size=1)).error is None
    except Death as death:
        raise examiner.stop("dies-of-fault", str(death), f"memory.read at {address}") from None


def faults(examiner: Examiner) -> None:
    """Memory that cannot be used is the error -32003, and the host goes on."""
    unmapped = examiner.call(ReserveMemory(size=65536)).address
    path = str(Path(examiner.subject.processes.directory) / "doctor.bin")
    tried: tuple[Request[Any], ...] = (
        ReadMemory(address="0x0", size=1),
        ReadMemory(address=hex(_HIGHEST - 7), size=16),
        ReadMemory(address=unmapped, size=16),
        WriteMemory(address="0x0", data="00"),
        WriteMemory(address=unmapped, data="00" * 16),
        FillMemory(address=unmapped, size=16, seed=1),
        DigestMemory(address=unmapped, size=16),
        SaveMemory(address=unmapped, size=16, path=path, offset=0),
        LoadMemory(address=unmapped, size=16, path=path, offset=0),
    )
    for request in tried:
        Path(path).write_bytes(bytes(16))
        words = f"{request.method} at {msgspec.to_builtins(request)['address']}"
        try:
            answer = examiner.refusal(request)
        except Death as death:
            raise examiner.stop("dies-of-fault", str(death), words) from None
        if answer.error is None:
            examiner.found("fault-unnoticed", f"it was answered with {told(answer)}", words)
        elif answer.error_code != codes.MEMORY_FAULT:
            examiner.found("wrong-fault-code", f"it was answered with {told(answer)}", words)


def _read(examiner: Examiner, address: int, size: int) -> bytes:
    text = examiner.call(ReadMemory(address=hex(address), size=size)).data
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise examiner.stop("wrong-answer", "memory.read gave bytes that are not hexadecimal") from None
    if len(data) != size:
        raise examiner.stop("wrong-answer", f"memory.read gave {len(data)} bytes, where {size} were asked for")
    return data
