"""The server role at both levels: statements, and each method of the documented server interface."""

from typing import Any, Literal

from vdi_conformance.contract import Database, Statement
from vdi_conformance.host.child.client_methods import address as plain_address
from vdi_conformance.host.child.client_methods import configuration
from vdi_conformance.host.child.dispatch import Methods
from vdi_conformance.host.child.parameters import boolean, integer, name, names, nullable, one_of, text, u32, u64
from vdi_conformance.host.child.session import Session

METHODS = Methods[Session]()
_method = METHODS.method
_Result = dict[str, Any]


@_method(
    "statement.execute",
    operation=one_of("backup", "restore"),
    instance=nullable(text),
    devices=names,
    seed=integer,
    size=integer,
    block_size=nullable(u32),
    max_transfer_size=nullable(u32),
    buffer_count=nullable(u32),
    subject=one_of("database", "log", "filelistonly"),
    snapshot=boolean,
)
def _execute(
    session: Session,
    operation: Literal["backup", "restore"],
    instance: str | None,
    devices: tuple[str, ...],
    seed: int,
    size: int,
    **options: Any,
) -> _Result:
    statement = Statement(operation, instance, devices, Database(seed, size), **options)
    end = session.loaded().statement_server().execute(statement)
    messages = [{"number": number, "text": words} for number, words in end.messages]
    return {"succeeded": end.succeeded, "messages": messages}


@_method("server.open", server=name, instance=nullable(text), name=text)
def _open(session: Session, server: str, instance: str | None, name: str) -> _Result:
    session.servers[server] = session.loaded().scripted_server()
    return {"code": session.server(server).open(instance, name)}


@_method("server.get_configuration", server=name)
def _get_configuration(session: Session, server: str) -> _Result:
    code, found = session.server(server).get_configuration()
    return {"code": code, "config": configuration(found)}


@_method(
    "server.begin_configuration",
    server=name,
    features=u32,
    alignment=u32,
    block_size=u32,
    max_transfer_size=u32,
    timeout=u32,
)
def _begin_configuration(session: Session, server: str, **values: int) -> _Result:
    return {"code": session.server(server).begin_configuration(*values.values())}


@_method("server.request_buffers", server=name, size=u32, alignment=u32, count=u32)
def _request_buffers(session: Session, server: str, size: int, alignment: int, count: int) -> _Result:
    return {"code": session.server(server).request_buffers(size, alignment, count)}


@_method("server.query_available_buffers", server=name, size=u32, alignment=u32)
def _query_available_buffers(session: Session, server: str, size: int, alignment: int) -> _Result:
    code, count = session.server(server).query_available_buffers(size, alignment)
    return {"code": code, "count": count}


@_method("server.end_configuration", server=name)
def _end_configuration(session: Session, server: str) -> _Result:
    return {"code": session.server(server).end_configuration()}


@_method("server.open_device", server=name, name=text)
def _open_device(session: Session, server: str, name: str) -> _Result:
    return {"code": session.server(server).open_device(name)}


@_method("server.allocate_buffer", server=name, size=u32, alignment=u32)
def _allocate_buffer(session: Session, server: str, size: int, alignment: int) -> _Result:
    code, address = session.server(server).allocate_buffer(size, alignment)
    return {"code": code, "address": plain_address(address)}


@_method("server.free_buffer", server=name, address=u64, size=u32)
def _free_buffer(session: Session, server: str, address: int, size: int) -> _Result:
    return {"code": session.server(server).free_buffer(address, size)}


@_method("server.send_command", server=name, device=text, code=u32, size=u32, position=u64, buffer=u64, tag=integer)
def _send_command(session: Session, server: str, device: str, **command: int) -> _Result:
    return {"code": session.server(server).send_command(device, *command.values())}


@_method("server.next_completion", server=name, timeout=u32)
def _next_completion(session: Session, server: str, timeout: int) -> _Result:
    completion = session.server(server).next_completion(timeout)
    if completion is None:
        return {"completion": None}
    return {"completion": completion._asdict() | {"position": hex(completion.position)}}


@_method("server.close_device", server=name, device=text)
def _close_device(session: Session, server: str, device: str) -> _Result:
    return {"code": session.server(server).close_device(device)}


@_method("server.signal_abort", server=name)
def _signal_abort(session: Session, server: str) -> _Result:
    return {"code": session.server(server).signal_abort()}


@_method("server.close", server=name)
def _close(session: Session, server: str) -> _Result:
    return {"code": session.server(server).close()}
