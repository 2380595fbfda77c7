"""Every method of the protocol, through a host of the toy adapter: replies fit their types and say what happened."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vdi_conformance.adapters import resolve
from vdi_conformance.harness.traces import trace_of
from vdi_conformance.host.child import entry
from vdi_conformance.host.codes import PROTOCOL_VERSION
from vdi_conformance.host.errors import InvalidParams, InvalidRequest, MethodNotFound
from vdi_conformance.host.messages import client, concurrent_calls, memory, native, server
from vdi_conformance.host.messages.base import Config, HostEnvironment, Initialize, Request
from vdi_conformance.host.messages.schemas import requests
from vdi_conformance.host.spec import RunSettings
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_INVALID

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.host.process import Host
    from vdi_conformance.host.spec import AdapterSpec
    from vdi_conformance.host.supervisor import Supervisor

CONFIG = Config(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xFFFFFFFF)
TOY_WRITES = b"".join(bytes([left]) * 65536 for left in range(16, 0, -1))


def test_the_child_knows_every_method_of_the_protocol_and_no_other() -> None:
    assert entry.METHODS.names() == set(requests())


@pytest.mark.parametrize("method", requests())
def test_the_child_takes_the_parameters_of_the_protocol(method: str) -> None:
    assert set(entry.METHODS.parameters(method)) == set(requests()[method].__struct_fields__) - {"thread"}


def test_initialize_gives_identity_capabilities_and_process(supervisor: Supervisor, toy: AdapterSpec) -> None:
    host = supervisor.launch(toy, environment=RunSettings(seed=7, time_scale=2.0))
    reply = host.initialized
    assert reply.protocol == str(PROTOCOL_VERSION)
    assert (reply.identity.name, reply.identity.version, reply.identity.vendor) == ("toy", "7", supervisor.directory)
    assert reply.capabilities == {
        "server": "scripted",
        "server_under_test": False,
        "broker": True,
        "named_instances": True,
        "native_abi": "com",
        "null_out_pointers": True,
    }
    assert reply.process.pid == host.pid != os.getpid()
    assert reply.process.platform == sys.platform


def test_a_machine_is_started_before_initialize_is_answered(
    launch: Callable[..., Host], supervisor: Supervisor
) -> None:
    _ = launch("broker").initialized
    assert Path(supervisor.directory, "broker").read_text() == "started"


def test_initialize_is_accepted_once(host: Host) -> None:
    _ = host.initialized
    again = Initialize(protocol=str(PROTOCOL_VERSION), role="client", environment=HostEnvironment("/", 0, 1.0))
    with pytest.raises(InvalidRequest, match="already"):
        host.call(again)


SET: list[tuple[Request[Any], dict[str, Any]]] = [
    (client.Create(set="s", name="x", config=CONFIG), {"code": NOERROR}),
    (client.Create(set="s", name=None, config=None), {"code": VD_E_INVALID}),
    (client.CreateEx(set="s", instance="I", name="x", config=CONFIG), {"code": NOERROR}),
    (client.GetConfiguration(set="s", timeout=1, null_out=True), {"code": VD_E_INVALID, "config": None}),
    (client.OpenDevice(set="s", name="x", device="d"), {"code": NOERROR, "opened": True}),
    (client.OpenDevice(set="s", name=None, device="d"), {"code": VD_E_INVALID, "opened": False}),
    (client.OpenDevice(set="s", name="x", device="d", null_out=True), {"code": VD_E_INVALID, "opened": False}),
    (client.Close(set="s"), {"code": NOERROR}),
    (client.SignalAbort(set="s"), {"code": NOERROR}),
    (client.OpenInSecondary(set="s", name="x"), {"code": NOERROR}),
    (client.OpenInSecondaryEx(set="s", instance=None, name=None), {"code": VD_E_INVALID}),
    (client.GetBufferHandle(set="s", address="0xffffffffdeadbeef"), {"code": NOERROR, "handle": 0xDEADBEEF}),
    (client.GetBufferHandle(set="s", address="0x0", null_out=True), {"code": NOERROR, "handle": None}),
    (client.MapBufferHandle(set="s", handle=0x80000000), {"code": NOERROR, "address": "0xffffffff80000000"}),
    (client.MapBufferHandle(set="s", handle=0, null_out=True), {"code": NOERROR, "address": None}),
    (client.ReleaseSet(set="s"), {}),
    (server.ServerOpen(server="v", instance=None, name="x"), {"code": NOERROR}),
]


@pytest.mark.parametrize(("request_", "expected"), SET, ids=lambda value: getattr(value, "method", ""))
def test_methods_of_the_set(host: Host, request_: Request[Any], expected: dict[str, Any]) -> None:
    host.call(client.NewSet(set="s"))
    reply = host.call(request_)
    assert {field: getattr(reply, field) for field in reply.__struct_fields__} == expected


ABI: list[tuple[Request[Any], dict[str, Any]]] = [
    (native.FindSymbol(name="known"), {"address": "0x7f0000001000"}),
    (native.FindSymbol(name="unknown"), {"address": None}),
    (native.CreateInstance(clsid="c", iid="i"), {"code": NOERROR, "address": "0x7f0000002000"}),
    (native.CreateInstance(clsid="c", iid="i", apartment="single"), {"code": VD_E_INVALID, "address": "0x0"}),
    (native.CallFunction(function="0x1", arguments=[]), {"code": 0}),
    (
        native.CallFunction(
            function="0x1", arguments=[native.PassedArgument("0xa", 4), native.PassedArgument("0x10", 8)]
        ),
        {"code": 12026},
    ),
]


@pytest.mark.parametrize(("request_", "expected"), ABI, ids=lambda value: getattr(value, "method", ""))
def test_methods_of_the_native_face(host: Host, request_: Request[Any], expected: dict[str, Any]) -> None:
    reply = host.call(request_)
    assert {field: getattr(reply, field) for field in reply.__struct_fields__} == expected


def test_an_adapter_without_a_native_face_does_not_know_its_methods(supervisor: Supervisor) -> None:
    host = supervisor.launch(resolve("emulator"))
    with pytest.raises(MethodNotFound, match=r"native\.symbol"):
        host.call(native.FindSymbol(name="known"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has asynchronous procedure calls")
def test_only_windows_queues_procedure_calls(host: Host) -> None:
    with pytest.raises(MethodNotFound, match=r"native\.queue_apc"):
        host.call(native.QueueApc(to="waiter", patience=0))


def test_a_configuration_keeps_all_its_fields(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.Create(set="s", name="x", config=CONFIG))
    assert host.call(client.GetConfiguration(set="s", timeout=0)).config == CONFIG


def test_a_released_device_and_a_closed_set_stay_known(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="x", device="d"))
    host.call(client.ReleaseDevice(device="d"))
    host.call(client.ReleaseSet(set="s"))
    assert host.call(client.GetCommand(device="d", timeout=0)).command
    assert host.call(client.Close(set="s")).code == NOERROR


def test_a_command_is_fetched_and_completed(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="x", device="d"))
    command = host.call(client.GetCommand(device="d", timeout=0)).command
    assert command is not None
    assert (command.code, command.size, command.position) == (2, 65536, "0x0")
    assert host.call(memory.ReadMemory(address=command.buffer, size=3)).data == "101010"
    complete = client.CompleteCommand(
        device="d", command=command.address, completion_code=0, bytes_transferred=65536, position="0x0"
    )
    assert host.call(complete).code == NOERROR


def test_serve_is_an_ordinary_application(host: Host, tmp_path: Path) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="x", device="d"))
    path = tmp_path / "backup"
    served = host.call(
        client.Serve(set="s", device="d", timeout=1000, path=str(path), offset=100, digest=True, thread="d")
    )
    assert (served.code, served.commands, served.data_commands, served.refused) == (VD_E_CLOSE, 17, 16, None)
    assert served.bytes == len(TOY_WRITES)
    assert served.digest == hashlib.sha256(TOY_WRITES).hexdigest()
    assert path.read_bytes() == bytes(100) + TOY_WRITES


def test_serve_stops_at_its_limit(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="x", device="d"))
    served = host.call(client.Serve(set="s", device="d", timeout=1000, limit=3))
    assert (served.code, served.commands, served.bytes, served.digest) == (NOERROR, 3, 3 * 65536, "")


def test_rivals_complete_each_command(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="x", device="d"))
    raced = host.call(client.CompleteConcurrently(device="d", timeout=1000, counts=[1, 2, 3], limit=5))
    assert (raced.code, len(raced.answers)) == (NOERROR, 5)
    assert all(sorted(answers) == [NOERROR, VD_E_INVALID, VD_E_INVALID] for answers in raced.answers)
    raced = host.call(client.CompleteConcurrently(device="d", timeout=1000, counts=[1, 2]))
    assert (raced.code, len(raced.answers)) == (VD_E_CLOSE, 12)


def test_methods_of_the_server(launch: Callable[..., Host]) -> None:
    host = launch("server", "server")
    call = host.call
    call(server.ServerOpen(server="v", instance=None, name="x"))
    config = call(server.ServerGetConfiguration(server="v")).config
    assert config is not None
    assert config.device_count == 3
    begin = server.ServerBeginConfiguration(
        server="v", features=1, alignment=2, block_size=3, max_transfer_size=4, timeout=5
    )
    assert call(begin).code == NOERROR
    assert call(server.ServerRequestBuffers(server="v", size=1, alignment=1, count=1)).code == NOERROR
    assert call(server.ServerQueryAvailableBuffers(server="v", size=1, alignment=1)).count == 12
    assert call(server.ServerEndConfiguration(server="v")).code == NOERROR
    assert call(server.ServerOpenDevice(server="v", name="x")).code == NOERROR
    buffer = call(server.ServerAllocateBuffer(server="v", size=1, alignment=1)).address
    assert buffer == "0x7f0000000000"
    send = server.ServerSendCommand(
        server="v", device="x", code=2, size=512, position="0xffffffffffffffff", buffer=buffer, tag=5
    )
    assert call(send).code == NOERROR
    completion = call(server.ServerNextCompletion(server="v", timeout=0)).completion
    assert completion == server.CompletionRecord(5, "x", 0, 512, "0xffffffffffffffff", thread_of_sender=True)
    assert call(server.ServerNextCompletion(server="v", timeout=0)).completion is None
    assert call(server.ServerFreeBuffer(server="v", address=buffer, size=1)).code == NOERROR
    assert call(server.ServerCloseDevice(server="v", device="x")).code == NOERROR
    assert call(server.ServerSignalAbort(server="v")).code == NOERROR
    assert call(server.ServerClose(server="v")).code == NOERROR


def test_a_statement_runs_to_its_end(launch: Callable[..., Host]) -> None:
    statement = server.ExecuteStatement(
        operation="backup",
        instance=None,
        devices=["x", "y"],
        seed=1,
        size=1024,
        block_size=512,
        max_transfer_size=65536,
        buffer_count=4,
        thread="statement",
    )
    end = launch("server").call(statement)
    assert end.succeeded
    assert end.messages == [server.StatementMessage(3014, "backup of 1024 bytes")]


def test_a_waiting_call_stops_no_other_label(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    for device in ("a", "b"):
        host.call(client.OpenDevice(set="s", name=f"quiet {device}", device=device))
    waiting = [host.send(client.GetCommand(device=device, timeout=60_000, thread=device)) for device in ("a", "b")]
    assert host.call(client.Close(set="s", thread="c")).code == NOERROR
    assert host.call(client.Close(set="s")).code == NOERROR
    assert not any(pending.done for pending in waiting)
    host.call(client.SignalAbort(set="s", thread="abort"))
    assert [pending.result().code for pending in waiting] == [VD_E_ABORT, VD_E_ABORT]


def test_calls_at_once_are_answered_one_by_one(host: Host, supervisor: Supervisor) -> None:
    host.call(client.NewSet(set="s"))
    for device in ("a", "b"):
        host.call(client.OpenDevice(set="s", name=f"quiet {device}", device=device))
    with host.concurrently():
        waiting = [host.send(client.GetCommand(device=device, timeout=60_000, thread=device)) for device in ("a", "b")]
        closing = host.send(client.Close(set="s", thread="c"))
    assert supervisor.wait_any([*waiting, closing]) is closing
    with host.concurrently():
        host.send(client.SignalAbort(set="s", thread="abort"))
    assert [pending.result().code for pending in waiting] == [VD_E_ABORT, VD_E_ABORT]


def test_calls_at_once_begin_when_all_their_threads_are_free(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="quiet", device="d"))
    busy = host.send(client.GetCommand(device="d", timeout=60_000, thread="d"))
    with host.concurrently():
        later = host.send(client.GetCommand(device="d", timeout=0, thread="d"))
        beside = host.send(client.Close(set="s", thread="c"))
    assert host.call(client.Close(set="s")).code == NOERROR
    assert not beside.done
    host.call(client.SignalAbort(set="s", thread="abort"))
    assert [pending.result().code for pending in (busy, later, beside)] == [VD_E_ABORT, VD_E_ABORT, NOERROR]


def test_calls_at_once_on_one_thread_are_refused(host: Host) -> None:
    host.call(client.NewSet(set="s"))
    with host.concurrently():
        refused = [host.send(client.Close(set="s", thread="c")) for _ in range(2)]
    for pending in refused:
        with pytest.raises(InvalidParams, match="threads all differ"):
            pending.result()
    assert host.call(client.Close(set="s", thread="c")).code == NOERROR


def test_one_label_keeps_the_order_of_its_requests(host: Host, supervisor: Supervisor) -> None:
    host.call(client.NewSet(set="s"))
    host.call(client.OpenDevice(set="s", name="x", device="d"))
    pendings = [host.send(client.GetCommand(device="d", timeout=0, thread="d")) for _ in range(17)]
    first = supervisor.wait_any(pendings)
    assert first is pendings[0]
    codes = [command.code if (command := pending.result().command) else None for pending in pendings]
    assert codes == [2] * 16 + [12]


WRONG: list[Request[Any]] = [
    client.Close(set="unknown"),
    client.GetCommand(device="unknown", timeout=0),
    server.ServerClose(server="unknown"),
    client.MapBufferHandle(set="s", handle=-1),
    client.GetBufferHandle(set="s", address="7"),
    client.CompleteConcurrently(device="d", timeout=0, counts=[1]),
    concurrent_calls.ConcurrentCalls(calls=[]),
    concurrent_calls.ConcurrentCalls(calls=[concurrent_calls.ConcurrentCall(1, "set.close", {"set": "s"})]),
    memory.ReadMemory(address="0x1000", size=65537),
    memory.WriteMemory(address="0x1000", data="0"),
    memory.LoadMemory(address="0x1000", size=1, path="/no/such/file", offset=0),
]


@pytest.mark.parametrize("request_", WRONG, ids=lambda request: request.method)
def test_wrong_parameters_are_refused(host: Host, request_: Request[Any]) -> None:
    host.call(client.NewSet(set="s"))
    with pytest.raises(InvalidParams):
        host.call(request_)
    assert host.call(client.Close(set="s")).code == NOERROR


def test_calls_are_recorded_in_their_order(launch: Callable[..., Host]) -> None:
    one, other = launch(name="one"), launch(name="other")
    one.call(client.NewSet(set="s"))
    other.call(client.NewSet(set="s"))
    with pytest.raises(InvalidParams):
        one.call(client.Close(set="t"))
    records = sorted(one.calls + other.calls, key=lambda record: record.number)
    assert [(record.host, record.method) for record in records] == [
        ("one", "set.new"),
        ("other", "set.new"),
        ("one", "set.close"),
    ]
    assert records[-1].error
    assert records[-1].reply is None
    assert records[0].params == {"thread": None, "set": "s"}
    assert records[0].reply == {}


def test_calls_that_are_forgotten_are_counted_where_they_were(launch: Callable[..., Host]) -> None:
    one, other = launch(name="one"), launch(name="one")
    one.call(client.NewSet(set="s"))
    for _ in range(510):
        other.send(client.NewSet(set="s"))
    other.call(client.Close(set="s", thread="t"))
    trace = trace_of([one, other])
    assert [call.number for call in trace.calls[:3]] == [1, 13, 14]
    assert {call.process for call in trace.calls} == {"one", "one (2)"}
    assert (trace.calls[0].begin, trace.calls[-1].thread) == (0.0, "t")
    assert not trace.whole
    assert trace.ended == {}


def test_a_thread_that_ended_is_followed_by_another(host: Host) -> None:
    host.call(client.NewSet(set="s", thread="t"))
    host.call(concurrent_calls.EndThread(label="t"))
    host.call(concurrent_calls.EndThread(label="nobody"))
    assert host.call(client.Close(set="s", thread="t")).code == NOERROR
