"""Commands of every kind: what the server asks arrives in the client, what the client answers reaches the server."""

from typing import Final, NamedTuple

import pytest

from vdi_conformance.harness.device import Fetched
from vdi_conformance.harness.judging import ConformanceFailure, judging, not_applicable, vdi_requirement
from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.harness.scripted_set import ScriptedSet
from vdi_conformance.harness.shared_memory import BufferView, fetched_view, mark
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.completion import ERROR_NOT_SUPPORTED, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR

BOTH_WAYS: Final = vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA
FAR: Final = 0x123456789ABCDEF0
LARGEST: Final = 0x7FFFFFFF


class Kind(NamedTuple):
    """A command without data: the features of a device that it belongs to, and what the server gives it.

    `sizes` and `positions` hold nothing where they are no inputs of that command.
    """

    code: int
    features: int = vdc.VDF_LIKE_TAPE
    sizes: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    server_features: int = 0


KINDS: Final = {
    "Rewind": Kind(vdc.VDC_REWIND),
    "WriteMark": Kind(vdc.VDC_WRITE_MARK),
    "SkipMarks": Kind(vdc.VDC_SKIP_MARKS, sizes=(1, 2, LARGEST)),
    "SkipBlocks": Kind(vdc.VDC_SKIP_BLOCKS, sizes=(1, 2, LARGEST)),
    "Load": Kind(vdc.VDC_LOAD, vdc.VDF_LIKE_DISK | vdc.VDF_REMOVABLE, sizes=(0, 1, LARGEST)),
    "Discard": Kind(vdc.VDC_DISCARD, vdc.VDF_DISCARD),
    "Flush": Kind(vdc.VDC_FLUSH, vdc.VDF_LIKE_DISK),
    "Snapshot": Kind(vdc.VDC_SNAPSHOT, vdc.VDF_SNAPSHOT_PREPARE),
    "MountSnapshot": Kind(vdc.VDC_MOUNT_SNAPSHOT, vdc.VDF_LIKE_PIPE),
    "PrepareToFreeze": Kind(vdc.VDC_PREPARE_TO_FREEZE, vdc.VDF_SNAPSHOT_PREPARE),
    "FileInfoBegin": Kind(vdc.VDC_FILE_INFO_BEGIN, vdc.VDF_LIKE_PIPE),
    "FileInfoEnd": Kind(vdc.VDC_FILE_INFO_END, vdc.VDF_LIKE_PIPE),
    "GetError": Kind(vdc.VDC_GET_ERROR, vdc.VDF_LIKE_PIPE),
    "Complete": Kind(vdc.VDC_COMPLETE, vdc.VDF_REQUEST_COMPLETE, server_features=vdc.VDF_COMPLETE_ENABLED),
    "code 20": Kind(20, vdc.VDF_LIKE_PIPE),
    "code 999": Kind(999, vdc.VDF_LIKE_PIPE),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@vdi_requirement("CMD-01", "CMP-01", "CMP-02")
def test_a_command_without_data_goes_there_and_back(testbed: Testbed, kind: Kind) -> None:
    """GetCommand gives a command's code and size as sent, and the server gets the completion code as given."""
    scripted = testbed.scripted(Scenario(features=kind.features), BOTH_WAYS | kind.server_features)
    for size in kind.sizes or (0,):
        _there_and_back(scripted, kind.code, size if kind.sizes else None)
    # Last, since the device may be in IO-ERROR after it.
    _there_and_back(scripted, kind.code, completion_code=ERROR_NOT_SUPPORTED)


def _there_and_back(
    scripted: ScriptedSet, code: int, size: int | None = None, completion_code: int = ERROR_SUCCESS
) -> None:
    """Pass one command; `size` None is one that means nothing to it."""
    tag, command = _pass_on(scripted, code, size or 0)
    if size is not None:
        _require("size", size, command.size)
    command.device.complete(command, completion_code).expect(NOERROR, by="CMP-01")
    with judging("CMP-01" if completion_code == ERROR_SUCCESS else "CMP-02"):
        scripted.completed(tag, completion_code, 0)


def _pass_on(scripted: ScriptedSet, code: int, size: int = 0, position: int = 0) -> tuple[int, Fetched]:
    """Let the server send a command without data, and fetch it."""
    if code == vdc.VDC_FLUSH:
        tag = scripted.send(code=code, size=size, position=position)
    else:
        sent = scripted.try_to_send(code=code, size=size, position=position)
        if not sent.succeeded:
            not_applicable("the server role does not send such a command out of place")
        tag = sent.expect(NOERROR)
    return tag, _fetch(scripted, code)


def _fetch(scripted: ScriptedSet, code: int) -> Fetched:
    """Fetch the command that was sent, of this code."""
    with judging("CMD-01"):
        command = scripted.device.next_command()
    _require("code", code, command.code)
    return command


def _require(member: str, sent: int, found: int) -> None:
    if found != sent:
        raise ConformanceFailure(f"the {member} of a command is {found:#x}, the server sent {sent:#x}", by="CMD-01")


@pytest.mark.parametrize("features", [vdc.VDF_LIKE_TAPE, vdc.VDF_LIKE_DISK], ids=["tape-like", "disk-like"])
@vdi_requirement("CMD-01", "CMP-01", "CMP-10")
def test_positions_go_there_and_back(testbed: Testbed, features: int) -> None:
    """GetCommand gives a SetPosition's position as sent, and the server gets GetPosition's answer with all 64 bits."""
    scripted = testbed.scripted(Scenario(features=features), BOTH_WAYS)
    origins, results = [], []
    for origin, position in ((vdc.WHENCE_CURRENT, 0), (vdc.WHENCE_END, FAR), (vdc.WHENCE_CURRENT, 1 << 32)):
        tag, command = _pass_on(scripted, vdc.VDC_GET_POSITION)
        scripted.device.complete(command, ERROR_SUCCESS, 0, position).expect(NOERROR, by="CMP-01")
        if (seen := _position_of_next(scripted, tag)) != position:
            raise ConformanceFailure(f"the server saw the position {seen:#x} instead of {position:#x}", by="CMP-10")
        tag, command = _pass_on(scripted, vdc.VDC_SET_POSITION, origin, position)
        _require("position", position, command.position)
        origins.append(command.size == origin)
        scripted.device.complete(command, ERROR_SUCCESS, 0, position + 512).expect(NOERROR, by="CMP-01")
        results.append(_position_of_next(scripted, tag) == position + 512)
    _record(testbed, "Q17", "the position that SetPosition is completed with", results)
    if features == vdc.VDF_LIKE_DISK:
        _record(testbed, "Q42", "the origin of SetPosition", origins)


def _position_of_next(scripted: ScriptedSet, tag: int) -> int:
    """Wait for a completion, of success and without bytes, and give its position."""
    seen = scripted.completion()
    if seen is None or (seen.tag, seen.code, seen.bytes_transferred) != (tag, ERROR_SUCCESS, 0):
        sentence = f"the server did not see command {tag} end with ERROR_SUCCESS and 0 bytes"
        raise ConformanceFailure(sentence, by="CMP-01")
    return int(seen.position, 16)


def _record(testbed: Testbed, question: str, subject: str, arrived: list[bool]) -> None:
    """Record whether something came over that need not."""
    answer = "arrives" if all(arrived) else "varies" if any(arrived) else "is dropped"
    testbed.observe(question, subject, answer, ("arrives", "is dropped"))


@pytest.mark.parametrize(
    "features", [vdc.VDF_LIKE_PIPE, vdc.VDF_LIKE_DISK, vdc.VDF_LIKE_TAPE], ids=["pipe-like", "disk-like", "tape-like"]
)
@vdi_requirement("CMD-01", "CMP-01")
def test_a_transfer_goes_there_and_back(testbed: Testbed, features: int) -> None:
    """GetCommand gives a transfer's code, size and bytes as sent, and the server gets bytes and count as given."""
    scripted = testbed.scripted(Scenario(features=features), BOTH_WAYS)
    buffer, arrived = scripted.allocate(), []
    for number, size in enumerate((512, 1536, 32768, 65536)):
        code, position = (vdc.VDC_WRITE, vdc.VDC_READ)[number % 2], FAR + size
        stored = mark(BufferView(scripted.server, buffer), size, testbed.seed + number)
        tag = scripted.send(buffer, code, size, position)
        command = _fetch(scripted, code)
        _require("size", size, command.size)
        if features == vdc.VDF_LIKE_DISK:
            _require("position", position, command.position)
        arrived.append(command.position == position)
        if code == vdc.VDC_WRITE and scripted.primary.digest(command.buffer, size) != stored.digest:
            raise ConformanceFailure("a Write has other bytes than the server stored for it", by="BUF-03")
        answered = mark(fetched_view(command), size, testbed.seed - number)
        with judging("CMP-01"):
            scripted.device.complete(command, ERROR_SUCCESS, size).expect(NOERROR)
            scripted.completed(tag, ERROR_SUCCESS, size)
        if code == vdc.VDC_READ and scripted.server.digest(buffer, size) != answered.digest:
            raise ConformanceFailure("the server sees other bytes after a Read than the client stored", by="BUF-04")
    if features == vdc.VDF_LIKE_PIPE:
        _record(testbed, "Q18", "the position of a pipe-like transfer", arrived)
