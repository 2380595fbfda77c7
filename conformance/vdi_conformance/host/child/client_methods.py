"""The client role: each method of the set and of the device, passed on to the adapter unchanged."""

from typing import Any

from vdi_conformance.host.child import application, concurrent_completions
from vdi_conformance.host.child.dispatch import Methods
from vdi_conformance.host.child.parameters import (
    Optional,
    boolean,
    config,
    counts,
    integer,
    name,
    nullable,
    size,
    text,
    u32,
    u64,
)
from vdi_conformance.host.child.session import Session
from vdi_conformance.vdi.structures import VDConfig

METHODS = Methods[Session]()
_method = METHODS.method
_text = nullable(text)
_config = nullable(config)
_null_out = Optional(boolean, False)
_Result = dict[str, Any]


def configuration(found: VDConfig | None) -> _Result | None:
    """Write a configuration as plain data."""
    return None if found is None else found._asdict()


def address(found: int | None) -> str | None:
    """Write an address as plain data."""
    return None if found is None else hex(found)


@_method("set.new", set=name)
def _new(session: Session, set: str) -> _Result:
    session.sets[set] = session.loaded().virtual_device_set()
    return {}


@_method("set.create", set=name, name=_text, config=_config)
def _create(session: Session, set: str, name: str | None, config: VDConfig | None) -> _Result:
    return {"code": session.set(set).create(name, config)}


@_method("set.create_ex", set=name, instance=_text, name=_text, config=_config)
def _create_ex(
    session: Session,
    set: str,
    instance: str | None,
    name: str | None,
    config: VDConfig | None,
) -> _Result:
    return {"code": session.set(set).create_ex(instance, name, config)}


@_method("set.get_configuration", set=name, timeout=u32, null_out=_null_out)
def _get_configuration(session: Session, set: str, timeout: int, null_out: bool) -> _Result:
    code, found = session.set(set).get_configuration(timeout, null_out)
    return {"code": code, "config": configuration(found)}


@_method("set.open_device", set=name, name=_text, device=name, null_out=_null_out)
def _open_device(session: Session, set: str, name: str | None, device: str, null_out: bool) -> _Result:
    code, opened = session.set(set).open_device(name, null_out)
    if opened is not None:
        session.devices[device] = opened
    return {"code": code, "opened": opened is not None}


@_method("set.close", set=name)
def _close(session: Session, set: str) -> _Result:
    return {"code": session.set(set).close()}


@_method("set.signal_abort", set=name)
def _signal_abort(session: Session, set: str) -> _Result:
    return {"code": session.set(set).signal_abort()}


@_method("set.open_in_secondary", set=name, name=_text)
def _open_in_secondary(session: Session, set: str, name: str | None) -> _Result:
    return {"code": session.set(set).open_in_secondary(name)}


@_method("set.open_in_secondary_ex", set=name, instance=_text, name=_text)
def _open_in_secondary_ex(session: Session, set: str, instance: str | None, name: str | None) -> _Result:
    return {"code": session.set(set).open_in_secondary_ex(instance, name)}


@_method("set.get_buffer_handle", set=name, address=u64, null_out=_null_out)
def _get_buffer_handle(session: Session, set: str, address: int, null_out: bool) -> _Result:
    code, handle = session.set(set).get_buffer_handle(address, null_out)
    return {"code": code, "handle": handle}


@_method("set.map_buffer_handle", set=name, handle=u32, null_out=_null_out)
def _map_buffer_handle(session: Session, set: str, handle: int, null_out: bool) -> _Result:
    code, mapped = session.set(set).map_buffer_handle(handle, null_out)
    return {"code": code, "address": address(mapped)}


@_method("set.release", set=name)
def _release_set(session: Session, set: str) -> _Result:
    session.set(set).release()
    return {}


@_method("device.get_command", device=name, timeout=u32, null_out=_null_out)
def _get_command(session: Session, device: str, timeout: int, null_out: bool) -> _Result:
    code, command = session.device(device).get_command(timeout, null_out)
    if command is None:
        return {"code": code}
    record = {
        "address": hex(command.address),
        "code": command.code,
        "size": command.size,
        "position": hex(command.position),
        "buffer": hex(command.buffer),
    }
    return {"code": code, "command": record}


@_method("device.complete_command", device=name, command=u64, completion_code=u32, bytes_transferred=u32, position=u64)
def _complete_command(
    session: Session, device: str, command: int, completion_code: int, bytes_transferred: int, position: int
) -> _Result:
    target = session.device(device)
    return {"code": target.complete_command(command, completion_code, bytes_transferred, position)}


@_method("device.release", device=name)
def _release_device(session: Session, device: str) -> _Result:
    session.device(device).release()
    return {}


@_method(
    "device.serve",
    set=name,
    device=name,
    timeout=u32,
    path=Optional(_text, None),
    offset=Optional(size(0), 0),
    limit=Optional(nullable(integer), None),
    digest=Optional(boolean, False),
    features=Optional(u32, 0),
    block_size=Optional(size(512), 512),
)
def _serve(
    session: Session, set: str, device: str, timeout: int, limit: int | None, digest: bool, **media: Any
) -> _Result:
    session.set(set)
    return application.serve(session.device(device), timeout, application.Media(**media), limit, digest)


@_method(
    "device.complete_concurrently",
    device=name,
    timeout=u32,
    counts=counts(2, 16),
    limit=Optional(nullable(integer), None),
)
def _race(session: Session, device: str, timeout: int, counts: tuple[int | None, ...], limit: int | None) -> _Result:
    return concurrent_completions.race(session.device(device), timeout, limit, counts)
