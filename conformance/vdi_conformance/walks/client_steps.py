"""What clients do in a walk: the interface's methods, with arguments that are valid and that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.device import CALLS_MEANWHILE
from vdi_conformance.harness.judging import ConformanceFailure
from vdi_conformance.harness.shared_memory import BufferView, fetched_view
from vdi_conformance.model import client as clients
from vdi_conformance.model import device as devices
from vdi_conformance.model import server as servers
from vdi_conformance.model.sharing import share
from vdi_conformance.model.state import SetPhase
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT
from vdi_conformance.vdi.structures import VDC_COMMAND_SIZE, VDConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.harness.device import Fetched
    from vdi_conformance.harness.expectations import Result
    from vdi_conformance.model.permits import Permits
    from vdi_conformance.model.state import ModelClient, ModelCommand, ModelDevice
    from vdi_conformance.model.steps import Step
    from vdi_conformance.walks.walk import Process, Walk

POLL: Final = 1
"""Milliseconds that GetConfiguration waits where nothing may come: that 0 polls is only recommended."""
STRAY: Final = 0x9E3779B9
INFINITE: Final = 0xFFFFFFFF
NEAR: Final = 1 << 22
"""A number as close to a handle as this may be an index or an offset of the same pool."""


def create(walk: Walk, step: Step) -> None:
    """CreateEx."""
    client, process = walk.actor(step)
    taken = step.kind == "taken" and client.of is None
    name = walk.names[-1 - step.what] if taken else walk.testbed.name()
    config = VDConfig(device_count={"fresh": step.what, "taken": 1}.get(step.kind, 0))
    permits = clients.create(walk.model, client, step.kind, step.what)
    known = len(walk.model.sets)
    walk.judge(step, process.client.create_ex(None, name, config), permits)
    walk.names += [name] * (len(walk.model.sets) - known)


def join(walk: Walk, step: Step) -> None:
    """OpenInSecondaryEx."""
    client, process = walk.actor(step)
    of = walk.model.sets[-1 - step.what] if step.kind == "set" else None
    name = walk.names[-1 - step.what] if of else walk.testbed.name()
    walk.judge(step, process.client.open_in_secondary_ex(None, name), clients.join(client, of))


def get_configuration(walk: Walk, step: Step) -> None:
    """GetConfiguration: the values never change, and are the same for all."""
    client, process = walk.actor(step)
    permits = clients.get_configuration(client)
    result = process.client.get_configuration(None if permits.due else POLL)
    walk.judge(step, result, permits)
    if result.succeeded and client.of is not None:
        found = result.expect(NOERROR)._replace(buffer_area_size=0)
        if found != walk.configurations.setdefault(client.of.index, found):
            raise ConformanceFailure(f"{result.call} gave other values than before")


def open_device(walk: Walk, step: Step) -> None:
    """OpenDevice: a failure hands out nothing."""
    client, process = walk.actor(step)
    of = client.of
    device = of.devices[step.what] if of and step.kind == "device" else None
    name = walk.names[of.index] if of else "no set"
    if step.what or device is None:
        name += f"-{step.what}" if device else "-unknown"
    result = process.client.open_device(name)
    walk.judge(step, result, clients.open_device(client, device))
    if result.succeeded:
        process.devices[step.what] = result.expect(NOERROR)
    elif result.value is not None:
        raise ConformanceFailure(f"{result.call} gave {result.name} and a device all the same")


def signal_abort(walk: Walk, step: Step) -> None:
    """SignalAbort."""
    client, process = walk.actor(step)
    walk.judge(step, process.client.signal_abort(), clients.signal_abort(client))


def close(walk: Walk, step: Step) -> None:
    """Close."""
    client, process = walk.actor(step)
    permits = clients.close(client)
    _forget_all(walk, client, process)
    walk.judge(step, process.client.close(), permits)
    process.devices.clear()


def get_command(walk: Walk, step: Step) -> None:
    """GetCommand, with time-out 0 where nothing is bound to come: what comes is the oldest that was sent."""
    client, process = walk.actor(step)
    device = _device(client, step.what)
    permits = devices.get_command(walk.model, client, device)
    _take_command(walk, step, device, process.devices[step.what].get_command(None if permits.due else 0), permits)


def wait(walk: Walk, step: Step) -> None:
    """Begin a GetCommand that waits for ever; requests that take as long let it come to its wait."""
    client, process = walk.actor(step)
    walk.tell(step)
    _device(client, step.what).waiting = True
    process.waiting[step.what] = process.devices[step.what].send_get_command(INFINITE)
    for _ in range(CALLS_MEANWHILE):
        process.client.outside_addresses()


def be_woken(walk: Walk, step: Step) -> None:
    """Take what a GetCommand that waited gives."""
    client, process = walk.actor(step)
    device = _device(client, step.what)
    device.waiting = False
    result = process.waiting.pop(step.what).result()
    _take_command(walk, step, device, result, devices.get_command(walk.model, client, device))


def _take_command(walk: Walk, step: Step, device: ModelDevice, result: Result[Fetched], permits: Permits) -> None:
    walk.judge(step, result, permits)
    if not result.succeeded:
        return
    command, fetched = device.held[-1], result.expect(NOERROR)
    walk.fetched[command.tag] = fetched
    if (fetched.code, fetched.size) != (command.code, command.size):
        raise ConformanceFailure(
            f"{result.call} gave a command of code {fetched.code} and size {fetched.size}, the server had sent one of "
            f"code {command.code} and size {command.size}"
        )
    if walk.plan.contents and command.data and device.of.sound:
        walk.contents.fetched(command, fetched, fetched_view(fetched))


def complete_command(walk: Walk, step: Step) -> None:
    """CompleteCommand: what is accepted reaches the server."""
    client, process = walk.actor(step)
    device = _device(client, step.what)
    kind, _, place = step.kind.partition(" ")
    command = _meant(client, device, kind, place)
    address = 0
    if command is not None:
        address = walk.fetched[command.tag].address
    elif kind == "private":
        process.record = process.record or process.client.allocate(VDC_COMMAND_SIZE)
        address = process.record
    count = count_of(command)
    permits = devices.complete_command(client, device, command, kind, count)
    was_active = command is not None and command.count is None
    if walk.plan.contents and device.of.sound:
        walk.contents.check("a buffer that is held was changed")
    walk.judge(step, process.devices[step.what].complete(address, bytes_transferred=count), permits)
    if command is not None and was_active and command.count is not None:
        walk.forget(command)
        walk.await_completions(device.of)


def get_buffer_handle(walk: Walk, step: Step) -> None:
    """GetBufferHandle: buffers that are held have different handles."""
    client, process = walk.actor(step)
    kind, _, place = step.kind.partition(" ")
    command = None
    if kind == "live":
        command = _device(client, step.what).held[int(place)]
        address = walk.fetched[command.tag].buffer
    elif kind == "past" and process.addresses:
        address = process.addresses[-1]
    else:
        process.stray = process.stray or process.client.outside_addresses().stack
        kind, address = "stray", process.stray
    result = process.client.get_buffer_handle(address)
    walk.judge(step, result, share(client, kind, command))
    if command is not None and result.succeeded:
        handle = result.expect(NOERROR)
        # Handles are local to one set.
        others = [one.tag for one in client.of.commands if one is not command] if client.of else []
        if handle in (walk.handles.get(tag) for tag in others):
            raise ConformanceFailure(f"two buffers that are held have the same handle: {handle:#x}")
        walk.handles[command.tag] = handle


def map_buffer_handle(walk: Walk, step: Step) -> None:
    """MapBufferHandle: what is mapped is the buffer."""
    client, process = walk.actor(step)
    kind, _, place = step.kind.partition(" ")
    command = None
    if kind == "live" and client.of is not None:
        command = client.of.devices[step.what].held[int(place)]
        handle = walk.handles[command.tag]
    elif kind == "past" and process.handles:
        handle = process.handles[-1]
    else:
        known = [handle for one in walk.processes.values() for handle in one.handles]
        kind, handle = "stray", (max(known, default=0) + STRAY) % (1 << 32)
    if command is None and any(_near(handle, other) for other in walk.handles.values()):
        kind = "beside"
    result = process.client.map_buffer_handle(handle)
    walk.judge(step, result, share(client, kind))
    if command is None or not result.succeeded:
        return
    process.handles.append(handle)
    if walk.plan.contents and client.of is not None and client.of.sound:
        walk.contents.mapped(command, BufferView(process.client, result.expect(NOERROR)))


def notice(walk: Walk, step: Step) -> None:
    """Wait until an abort shows: it is bound to, if late."""
    client, process = walk.actor(step)
    walk.tell(step)
    open_devices = [device for device in client.devices if not (device.server_closed or device.waiting)]
    for device in open_devices[:1]:
        process.devices[device.index].await_abort()
        client.done = True
    if not open_devices and client.of is not None:
        if client.of.phase is SetPhase.CONFIGURED:
            process.client.await_abort()
        else:
            process.client.get_configuration().expect(VD_E_ABORT)
    client.notice()


def kill(walk: Walk, step: Step) -> None:
    """End a client's process as a crash does."""
    client, process = walk.actor(step)
    walk.tell(step)
    _forget_all(walk, client, process)
    process.client.kill()
    del walk.processes[client.number]
    servers.client_dies(client)


def _forget_all(walk: Walk, client: ModelClient, process: Process) -> None:
    walk.contents.leave(process.client)
    for device in client.devices:
        for command in device.held:
            walk.forget(command)


def _device(client: ModelClient, index: int) -> ModelDevice:
    return next(device for device in client.devices if device.index == index)


def _meant(client: ModelClient, device: ModelDevice, kind: str, place: str) -> ModelCommand | None:
    """Find the command whose record is given."""
    match kind:
        case "held":
            return device.held[int(place)]
        case "another":
            return next(other.held[0] for other in client.devices if other is not device and other.held)
        case "stale":
            return next(command for where, command in client.stale if where is device)
    return None


def count_of(command: ModelCommand | None) -> int:
    """Half of a Read is what it gives, and Writes take all."""
    if command is None or not command.data:
        return 0
    return command.size if command.code == vdc.VDC_WRITE else max(command.size // 1024 * 512, 512)


def _near(number: int, handle: int) -> bool:
    return not NEAR < (number - handle) % (1 << 32) < (1 << 32) - NEAR


CLIENT_STEPS: Final[dict[str, Callable[[Walk, Step], None]]] = {
    step.__name__: step
    for step in (
        create,
        join,
        get_configuration,
        open_device,
        signal_abort,
        close,
        get_command,
        wait,
        be_woken,
        complete_command,
        get_buffer_handle,
        map_buffer_handle,
        notice,
        kill,
    )
}
