"""The client role: each method of the set and of the device, passed on to the adapter unchanged."""

from typing import Any

from vdi_conformance.contract import Command, Outcome
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
from vdi_conformance.host.child.passing_on import (
    Result,
    address,
    code_alone,
    configuration,
    nothing,
    pass_on,
    with_value,
)
from vdi_conformance.host.child.session import Session

METHODS = Methods[Session]()
_text = nullable(text)
_config = nullable(config)
_null_out = Optional(boolean, False)


@METHODS.method("set.new", set=name)
def _new(session: Session, set: str) -> Result:
    session.sets[set] = session.loaded().virtual_device_set()
    return {}


@METHODS.method("set.open_device", set=name, name=_text, device=name, null_out=_null_out)
def _open_device(session: Session, set: str, name: str | None, device: str, null_out: bool) -> Result:
    code, opened = session.set(set).open_device(name, null_out)
    if opened is not None:
        session.devices[device] = opened
    return {"code": code, "opened": opened is not None}


def _command(outcome: Outcome[Command]) -> Result:
    code, command = outcome
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


pass_on(METHODS, "set.create", code_alone, name=_text, config=_config)
pass_on(METHODS, "set.create_ex", code_alone, instance=_text, name=_text, config=_config)
pass_on(METHODS, "set.get_configuration", configuration, timeout=u32, null_out=_null_out)
pass_on(METHODS, "set.close", code_alone)
pass_on(METHODS, "set.signal_abort", code_alone)
pass_on(METHODS, "set.open_in_secondary", code_alone, name=_text)
pass_on(METHODS, "set.open_in_secondary_ex", code_alone, instance=_text, name=_text)
pass_on(METHODS, "set.get_buffer_handle", with_value("handle"), address=u64, null_out=_null_out)
pass_on(METHODS, "set.map_buffer_handle", address, handle=u32, null_out=_null_out)
pass_on(METHODS, "set.release", nothing)
pass_on(METHODS, "device.get_command", _command, timeout=u32, null_out=_null_out)
pass_on(
    METHODS,
    "device.complete_command",
    code_alone,
    command=u64,
    completion_code=u32,
    bytes_transferred=u32,
    position=u64,
)
pass_on(METHODS, "device.release", nothing)


@METHODS.method(
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
) -> Result:
    session.set(set)
    return application.serve(session.device(device), timeout, application.Media(**media), limit, digest)


@METHODS.method(
    "device.complete_concurrently",
    device=name,
    timeout=u32,
    counts=counts(2, 16),
    limit=Optional(nullable(integer), None),
)
def _race(session: Session, device: str, timeout: int, counts: tuple[int | None, ...], limit: int | None) -> Result:
    return concurrent_completions.race(session.device(device), timeout, limit, counts)
