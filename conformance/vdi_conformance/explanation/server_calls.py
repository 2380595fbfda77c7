"""The calls of servers, whose own answers are not judged, and what comes of statements and of the ends of processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.evidence.numbers import number_of
from vdi_conformance.explanation.situation import SERVER, View
from vdi_conformance.explanation.statements import may_have_aborted
from vdi_conformance.model.server import client_dies, completions_due
from vdi_conformance.model.state import AbortState, ModelCommand, SetPhase
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.completion import ERROR_OPERATION_ABORTED
from vdi_conformance.vdi.completion import name_of as completion_name
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vdi_conformance.explanation.situation import Situation
    from vdi_conformance.explanation.trace import Operation
    from vdi_conformance.model.state import ModelDevice, ModelSet


def take(after: Situation, operation: Operation) -> str | None:
    """Do what a call does; say what else it should have given, where something is wrong with what the server saw."""
    step = _STEPS.get(operation.method)
    return None if step is None else step(after, operation)


def _key(operation: Operation) -> tuple[str, str]:
    return operation.process, str(operation.params.get("server"))


def _set(after: Situation, operation: Operation) -> ModelSet | None:
    index = after.serving.get(_key(operation))
    return None if index is None else after.model.sets[index]


def _succeeded(operation: Operation) -> bool:
    return operation.code == NOERROR


def _open(after: Situation, operation: Operation) -> None:
    of = after.latest(str(operation.params.get("name")))
    if _succeeded(operation) and of is not None:
        after.serving[_key(operation)] = of.index
        of.served, of.phase = True, max(of.phase, SetPhase.OPENED)


def _begin_configuration(after: Situation, operation: Operation) -> None:
    if _succeeded(operation) and (of := _set(after, operation)) is not None:
        of.phase = max(of.phase, SetPhase.BEGUN)


def _end_configuration(after: Situation, operation: Operation) -> None:
    if _succeeded(operation) and (of := _set(after, operation)) is not None:
        of.phase = SetPhase.CONFIGURED


def _device(after: Situation, of: ModelSet, name: str) -> ModelDevice | None:
    names = list(after.facts.devices.get(of.name, ()))
    return of.devices[names.index(name)] if name in names and names.index(name) < len(of.devices) else None


def _open_device(after: Situation, operation: Operation) -> None:
    of = _set(after, operation)
    if _succeeded(operation) and of and (device := _device(after, of, str(operation.params.get("name")))):
        device.server_open = True


def _close_device(after: Situation, operation: Operation) -> None:
    of = _set(after, operation)
    if _succeeded(operation) and of and (device := _device(after, of, str(operation.params.get("device")))):
        device.server_closed = True


def _allocate(after: Situation, operation: Operation) -> None:
    of = _set(after, operation)
    if not _succeeded(operation) or of is None or operation.call is None or not isinstance(operation.answer, dict):
        return
    if address := number_of(operation.answer.get("address")):
        size = int(operation.params.get("size") or 0)
        after.views[operation.process, address] = View(
            operation.call.number, size, SERVER, of.index, None, mapped=False
        )


def _free(after: Situation, operation: Operation) -> None:
    after.views.pop((operation.process, number_of(operation.params.get("address"))), None)


def _send(after: Situation, operation: Operation) -> None:
    of, params = _set(after, operation), operation.params
    if not _succeeded(operation) or of is None or operation.call is None:
        return
    device = _device(after, of, str(params.get("device")))
    if device is None:
        return
    view = after.views.get((operation.process, number_of(params.get("buffer"))))
    code, size, number = int(params.get("code") or 0), int(params.get("size") or 0), operation.call.number
    buffer = number if view is None else view.buffer
    command = ModelCommand(number, code, size, buffer=buffer, data=view is not None and code in DATA_COMMANDS)
    device.queue.append(command)
    device.sent.append(command)
    after.sent[operation.process, str(params.get("server")), int(params.get("tag") or 0)] = number


def _next_completion(after: Situation, operation: Operation) -> str | None:
    """Each completion is one that was accepted, with its values, or VDI's own on a set that is not sound any more."""
    of = _set(after, operation)
    if of is None or not isinstance(operation.answer, dict):
        return None
    record = operation.answer.get("completion")
    if not isinstance(record, dict):
        due = of.sound and operation.patient and completions_due(of)
        return f"the completion of command {_tag_of(after, operation, due[0])}" if due else None
    if record.get("thread_of_sender"):
        return None
    tag = after.sent.get((operation.process, str(operation.params.get("server")), int(record.get("tag") or 0)))
    command = next((one for one in of.commands if one.tag == tag), None)
    if command is None:
        return None
    if record.get("code") == ERROR_OPERATION_ABORTED and may_have_aborted(after, of, operation):
        of.worsen(AbortState.DOUBTFUL)
    return _completed(after, of, command, record)


def _completed(after: Situation, of: ModelSet, command: ModelCommand, record: Mapping[str, Any]) -> str | None:
    if command.seen:
        return "one completion for each command"
    command.seen = True
    code, result = int(record.get("code") or 0), after.results.get(command.tag)
    given = (code, int(record.get("bytes_transferred") or 0))
    if (code == ERROR_OPERATION_ABORTED and not of.sound) or _is_opaque(after, of, command):
        return None
    if result is None:
        return "nothing: nobody has completed it"
    if given != (result.code, result.transferred):
        return f"{completion_name(result.code)} and {result.transferred} bytes, as it was completed"
    return None


def _is_opaque(after: Situation, of: ModelSet, command: ModelCommand) -> bool:
    return any(command in device.sent and (of.index, device.index) in after.opaque for device in of.devices)


def _tag_of(after: Situation, operation: Operation, command: ModelCommand) -> int:
    """Give the tag that the server knows a command by."""
    return next(
        (
            tag
            for (process, _, tag), number in after.sent.items()
            if process == operation.process and number == command.tag
        ),
        command.tag,
    )


def _signal_abort(after: Situation, operation: Operation) -> None:
    if (of := _set(after, operation)) is not None:
        of.worsen(AbortState.DOUBTFUL if of.over or not _succeeded(operation) else AbortState.ABORTED)


def _close(after: Situation, operation: Operation) -> None:
    if (of := _set(after, operation)) is not None:
        _lose_the_server(of)
        del after.serving[_key(operation)]


def _lose_the_server(of: ModelSet) -> None:
    if not of.over:
        certain = any(device.server_open and not device.server_closed for device in of.devices)
        of.worsen(AbortState.ABORTED if certain else AbortState.DOUBTFUL)
    of.served = False


def _execute(after: Situation, operation: Operation) -> None:
    """A statement has ended: well, when all its devices are closed, or otherwise, when the set may be aborted."""
    devices = operation.params.get("devices") or [""]
    if not (isinstance(operation.answer, dict) and operation.answer.get("succeeded")):
        _break_off(after, str(devices[0]))
    elif (of := after.latest(str(devices[0]))) is not None:
        for device in of.devices:
            device.server_closed = True


def _break_off(after: Situation, name: str) -> None:
    if (of := after.latest(name)) is not None:
        of.worsen(AbortState.DOUBTFUL)
        after.excused.add(of.index)


def _end(after: Situation, operation: Operation) -> None:
    """A process has ended, with all that it had open."""
    for (process, _), number in after.facts.clients.items():
        client = after.client(number)
        if process == operation.process and client.alive:
            client_dies(client)
    for (process, server), index in [*after.serving.items()]:
        if process == operation.process:
            _lose_the_server(after.model.sets[index])
            del after.serving[process, server]
    for statement in after.facts.statements:
        if statement.process == operation.process and statement.begin <= operation.begin < statement.end:
            _break_off(after, statement.devices[0])
    after.views = {at: view for at, view in after.views.items() if at[0] != operation.process}


def _release(after: Situation, operation: Operation) -> None:
    """What the last release does to a set is not said."""
    number = after.facts.client_of(operation)
    client = None if number is None else after.client(number)
    if client is not None and client.of is not None:
        client.of.worsen(AbortState.DOUBTFUL)


def _serve(after: Situation, operation: Operation) -> None:
    """An ordinary client, or several threads, fetched and completed what came, as the answer says."""
    opened = after.devices.get((operation.process, str(operation.params.get("device"))))
    device = None if opened is None else after.device_of(opened)
    if opened is None or device is None:
        return
    after.opaque.add((opened.of, opened.place))
    after.excused.add(opened.of)
    device.of.begun = True
    ended = operation.code != NOERROR
    for command in device.queue[:]:
        if ended or command in device.queue[: _fetched_by(operation)]:
            command.count = command.size
    device.queue[:] = [command for command in device.queue if command.count is None]
    if ended:
        device.server_closed = device.told = device.of.sound or device.told


def _fetched_by(operation: Operation) -> int:
    answer = operation.answer if isinstance(operation.answer, dict) else {}
    return int(answer.get("commands") or len(answer.get("answers") or ()))


_STEPS: Final[dict[str, Callable[[Situation, Operation], str | None]]] = {
    "server.open": _open,
    "server.begin_configuration": _begin_configuration,
    "server.end_configuration": _end_configuration,
    "server.open_device": _open_device,
    "server.close_device": _close_device,
    "server.allocate_buffer": _allocate,
    "server.free_buffer": _free,
    "server.send_command": _send,
    "server.next_completion": _next_completion,
    "server.signal_abort": _signal_abort,
    "server.close": _close,
    "statement.execute": _execute,
    "process.end": _end,
    "set.release": _release,
    "device.serve": _serve,
    "device.complete_concurrently": _serve,
}
