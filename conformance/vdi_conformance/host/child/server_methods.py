"""The server role at both levels: statements, and each method of the documented server interface."""

from typing import Any, Literal

from vdi_conformance.contract import LONGEST_LABEL, Completion, Database, Statement
from vdi_conformance.host.child.dispatch import Methods
from vdi_conformance.host.child.parameters import boolean, integer, name, names, nullable, one_of, seed, text, u32, u64
from vdi_conformance.host.child.passing_on import Result, address, code_alone, configuration, pass_on, with_value
from vdi_conformance.host.child.session import Session

METHODS = Methods[Session]()


@METHODS.method(
    "statement.execute",
    operation=one_of("backup", "restore"),
    instance=nullable(text),
    devices=names,
    seed=seed,
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
) -> Result:
    statement = Statement(operation, instance, devices, Database(seed, size), **options)
    end = session.loaded().statement_server().execute(statement)
    messages = [{"number": number, "text": words} for number, words in end.messages]
    return {"succeeded": end.succeeded, "messages": messages}


@METHODS.method("statement.server_version")
def _server_version(session: Session) -> Result:
    return {"version": session.loaded().server_version()[:LONGEST_LABEL]}


@METHODS.method("server.open", server=name, instance=nullable(text), name=text)
def _open(session: Session, server: str, instance: str | None, name: str) -> Result:
    session.servers[server] = session.loaded().scripted_server()
    return {"code": session.server(server).open(instance, name)}


def _completion(completion: Completion | None) -> Result:
    if completion is None:
        return {"completion": None}
    return {"completion": completion._asdict() | {"position": hex(completion.position)}}


pass_on(METHODS, "server.get_configuration", configuration)
pass_on(
    METHODS,
    "server.begin_configuration",
    code_alone,
    features=u32,
    alignment=u32,
    block_size=u32,
    max_transfer_size=u32,
    timeout=u32,
)
pass_on(METHODS, "server.request_buffers", code_alone, size=u32, alignment=u32, count=u32)
pass_on(METHODS, "server.query_available_buffers", with_value("count"), size=u32, alignment=u32)
pass_on(METHODS, "server.end_configuration", code_alone)
pass_on(METHODS, "server.open_device", code_alone, name=text)
pass_on(METHODS, "server.allocate_buffer", address, size=u32, alignment=u32)
pass_on(METHODS, "server.free_buffer", code_alone, address=u64, size=u32)
pass_on(
    METHODS,
    "server.send_command",
    code_alone,
    device=text,
    code=u32,
    size=u32,
    position=u64,
    buffer=u64,
    tag=integer,
)
pass_on(METHODS, "server.next_completion", _completion, timeout=u32)
pass_on(METHODS, "server.close_device", code_alone, device=text)
pass_on(METHODS, "server.signal_abort", code_alone)
pass_on(METHODS, "server.close", code_alone)
