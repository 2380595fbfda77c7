"""Several commands of one device under conditions: they come as they were sent, and end as each was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdi_conformance.harness.judging import ConformanceFailure, judging
from vdi_conformance.harness.varied.sets import Aside, Held
from vdi_conformance.harness.varied.sharing import share
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_GET_POSITION
from vdi_conformance.vdi.completion import ERROR_DISK_FULL, ERROR_NOT_SUPPORTED, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from vdi_conformance.harness.varied.scripted import VariedScriptedSet

NUMBERS = (0, 3)
"""What commands are called that are held at once, and of which none is to fail."""


def pass_in_order(varied: VariedScriptedSet, may_fail: bool) -> None:
    """Let the first device have two commands at once, and at last one that fails, after which it takes no others."""
    if varied.held and varied.result_of(varied.held[0]) != ERROR_SUCCESS:
        return
    free = [one.buffer for one in varied.held if one.holder not in varied.gone and one not in varied.kept][:2]
    if len(free) == 2 and varied.layout.transfer > varied.layout.block:
        _pass_data(varied, free)
    fails = may_fail and bool(free) and not varied.layout.closes_by_abort
    _pass_without_data(varied, ERROR_NOT_SUPPORTED if may_fail and not fails else ERROR_SUCCESS, keep=may_fail)
    if fails:
        _fail(varied, free[0])


def _pass_data(varied: VariedScriptedSet, buffers: list[int]) -> None:
    """Hold two transfers of different sizes at once."""
    block, size = varied.layout.block, varied.layout.size
    sizes = (size, block if size != block else 2 * block)
    tags = [
        varied.running.send(buffer, varied.layout.code, wanted) for buffer, wanted in zip(buffers, sizes, strict=True)
    ]
    held = []
    for number, tag, buffer, wanted in zip(NUMBERS, tags, buffers, sizes, strict=True):
        command = varied.fetch(device := varied.running.devices[0])
        if command.size != wanted:
            sentence = f"{device.client.name} fetched a command of {command.size} bytes where one of {wanted} was next"
            raise ConformanceFailure(sentence, by="CMD-11")
        one = varied.held_now(number, command)
        one.tag, one.buffer = tag, buffer
        one.contents.take(one.fetched)
        held.append(one)
    share(varied, held)
    for one in held:
        varied.complete(one)


def _pass_without_data(varied: VariedScriptedSet, last: int, keep: bool) -> None:
    """Pass two commands, the last with this result; it is held until an abort where the set ends by one."""
    codes = (VDC_GET_POSITION if varied.layout.features else VDC_FLUSH, VDC_FLUSH)
    tags = [varied.running.send(code=code, device=0) for code in codes]
    for tag, code, result in zip(tags, codes, (ERROR_SUCCESS, last), strict=True):
        command = varied.fetch(device := varied.running.devices[0])
        if command.code != code:
            sentence = f"{device.client.name} fetched a {command.code} before a {code}, which was sent first"
            raise ConformanceFailure(sentence, by="CMD-11")
        if tag == tags[-1] and keep and varied.layout.closes_by_abort and not varied.kept:
            varied.kept.append(Aside(tag, command))
        else:
            varied.complete_aside(Aside(tag, command), result)


def _fail(varied: VariedScriptedSet, buffer: int) -> None:
    """Share a further transfer, and let it fail."""
    one: Held = varied.send(0, buffer)
    share(varied, [one])
    one.command.device.complete(one.command, ERROR_DISK_FULL).expect(NOERROR, by="CMP-01")
    with judging("CMP-02"):
        varied.running.completed(one.tag, ERROR_DISK_FULL, 0)
