"""What a server does that is told every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.differences.playing import Impossible, Playing, Serving
from vdi_conformance.differences.seen import CODE, Seen
from vdi_conformance.harness.memory import Seeded
from vdi_conformance.harness.server import ServerRole
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi import completion as win32
from vdi_conformance.vdi.hresult import NOERROR, name_of

if TYPE_CHECKING:
    from vdi_conformance.differences.steps import Step
    from vdi_conformance.harness.expectations import Result

BLOCK: Final = 512
BUFFERS: Final = 4
TRANSFER: Final = 65536
SIZE: Final = 4096
"""So many bytes are moved by a command that is told nothing else."""
CONFIGURING: Final = 10_000
SEEN: Final = 500
"""So many milliseconds, before scaling, a completion has to come."""
COMMANDS: Final = {name: code for code, name in vdc.NAMES.items()}


def _label(step: Step) -> str:
    return step.argument("set", "1")


def _serving(playing: Playing, step: Step) -> Serving:
    found = playing.serving.get(_label(step))
    if found is None:
        raise Impossible
    return found


def _role(playing: Playing, step: Step) -> Serving:
    label = _label(step)
    if label not in playing.serving:
        playing.testbed.need_scripted()
        host = playing.testbed.processes.launch("server", "server" if label == "1" else f"server of set {label}")
        playing.serving[label] = Serving(ServerRole(host, playing.testbed.observe))
    return playing.serving[label]


def _open(playing: Playing, step: Step) -> Seen:
    name = playing.name(_label(step)) + ("-of-nobody" if step.argument("name") == "unknown" else "")
    return {CODE: _role(playing, step).role.open(None, name).name}


def _begin(playing: Playing, step: Step) -> Seen:
    serving = _serving(playing, step)
    features = step.number("features", vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA)
    serving.alignment, serving.transfer = step.number("alignment", BLOCK), step.number("transfer", TRANSFER)
    answer = serving.role.begin_configuration(
        features, serving.alignment, step.number("block_size", BLOCK), serving.transfer, playing.scaled(CONFIGURING)
    )
    return {CODE: answer.name}


def _request(playing: Playing, step: Step) -> Seen:
    serving = _serving(playing, step)
    count = step.number("count", BUFFERS)
    return {CODE: serving.role.request_buffers(serving.transfer, serving.alignment, count).name}


def _end(playing: Playing, step: Step) -> Seen:
    serving = _serving(playing, step)
    answer = serving.role.end_configuration()
    serving.configured = serving.configured or answer.succeeded
    return {CODE: answer.name}


def _configure(playing: Playing, step: Step) -> Seen:
    """Open the set, configure it, and open its devices unless they are left out."""
    taken: list[tuple[str, Seen]] = []
    for act in (_open, _begin, _request, _end):
        taken.append((act.__name__, act(playing, step)))
        if taken[-1][1][CODE] != name_of(NOERROR):
            break
    else:
        if step.argument("devices") != "0":
            taken += [
                ("_open_device", _open_one(playing, step, index)) for index in range(playing.devices_of(_label(step)))
            ]
    refused = [f"{seen[CODE]} from {called.strip('_')}" for called, seen in taken if seen[CODE] != name_of(NOERROR)]
    return {CODE: refused[0] if refused else name_of(NOERROR)}


def _open_device(playing: Playing, step: Step) -> Seen:
    return _open_one(playing, step, step.number("device"))


def _open_one(playing: Playing, step: Step, index: int) -> Seen:
    serving = _serving(playing, step)
    return {CODE: serving.role.open_device(playing.device_name(_label(step), index)).name}


def _send(playing: Playing, step: Step) -> Seen:
    answers = [_send_one(playing, step) for _ in range(step.number("times", 1))]
    runs: list[list[str]] = []
    for answer in answers:
        if runs and runs[-1][0] == answer:
            runs[-1].append(answer)
        else:
            runs.append([answer])
    return {CODE: ", then ".join(run[0] if len(answers) == 1 else f"{run[0]} {len(run)} times" for run in runs)}


def _send_one(playing: Playing, step: Step) -> str:
    serving = _serving(playing, step)
    code = step.argument("code", "VDC_WRITE")
    command = COMMANDS[code] if code in COMMANDS else int(code, 0)
    playing.tags += 1
    tag, buffer, size = playing.tags, 0, step.number("size")
    if command in vdc.DATA_COMMANDS:
        size = size or SIZE
        allocated: Result[int] = serving.role.allocate_buffer(size, serving.alignment)
        if not allocated.succeeded or allocated.value is None:
            return f"{allocated.name} from AllocateBuffer"
        buffer = allocated.value
        serving.role.fill(buffer, Seeded(tag), size)
        serving.taken[tag] = (buffer, size)
    name = playing.device_name(_label(step), step.number("device"))
    # The tag as position makes each record another one, since a command may be known by what it says.
    answer = serving.role.send_command(name, command, size, step.number("position", tag), buffer, tag)
    if answer.succeeded:
        serving.queued[step.number("device")] += 1
    serving.sent[tag] = f"command {tag} that was sent"
    return answer.name


def _completion(playing: Playing, step: Step) -> Seen:
    serving = _serving(playing, step)
    wait = playing.patience(step.number("wait", SEEN), due=playing.accepted > 0)
    while (record := serving.role.next_completion(wait)) is not None:
        # SendCommand reports what it refuses to the completion routine as well, before it returns.
        if not record.thread_of_sender:
            break
    else:
        return {CODE: "none"}
    playing.accepted -= 1
    if (taken := serving.taken.pop(record.tag, None)) is not None:
        serving.role.free_buffer(*taken)
    return {
        CODE: serving.sent.get(record.tag, "a command that was never sent"),
        "ended with": win32.name_of(record.code),
        "bytes": str(record.bytes_transferred),
        "position": record.position,
    }


def _close_device(playing: Playing, step: Step) -> Seen:
    name = playing.device_name(_label(step), step.number("device"))
    return {CODE: _serving(playing, step).role.close_device(name).name}


def _abort(playing: Playing, step: Step) -> Seen:
    return {CODE: _serving(playing, step).role.signal_abort().name}


def _close(playing: Playing, step: Step) -> Seen:
    return {CODE: _serving(playing, step).role.close().name}


def _kill(playing: Playing, step: Step) -> Seen:
    _serving(playing, step).role.kill()
    del playing.serving[_label(step)]
    return {CODE: "is gone"}


ACTS: Final = {
    "open": _open,
    "begin": _begin,
    "request": _request,
    "end": _end,
    "configure": _configure,
    "open_server_device": _open_device,
    "send": _send,
    "completion": _completion,
    "close_device": _close_device,
    "abort": _abort,
    "close_server": _close,
    "kill_server": _kill,
}
