"""One virtual device, opened by one client, and the commands that it hands out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.expectations import PendingAnswer
from vdi_conformance.harness.judging import ConformanceFailure, Needed
from vdi_conformance.host.messages.client import CompleteCommand, CompleteConcurrently, GetCommand, ReleaseDevice, Serve
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.completion import ERROR_HANDLE_EOF, ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE
from vdi_conformance.vdi.structures import MIN_BLOCK_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.expectations import Code, Result
    from vdi_conformance.host.messages.base import CodeReply
    from vdi_conformance.host.messages.client import CommandReply, CompletedConcurrently, Served
    from vdi_conformance.host.process import Pending
    from vdi_conformance.host.supervisor import Supervisor

BOUND_TO_COME: Final = 10_000
"""How long a call waits for something that is bound to happen, in milliseconds before scaling."""
CALLS_MEANWHILE: Final = 5
"""So many calls are made while what another thread has begun comes to its wait."""
MOST_COMMANDS: Final = 10_000
"""No server of a check sends so many commands to one device: most send some ten."""


GET_COMMAND: Final = Needed("CMD-01")
END_OF_DEVICE: Final = Needed("CMD-05")
COMPLETE_COMMAND: Final = Needed("CMP-01")
"""What most checks need of the device interface."""


@dataclass(frozen=True)
class Fetched:
    """A command that was handed out, with the device it came from and its place in that device's stream.

    `ordinal` counts the commands that this device handed out, from 0.
    """

    device: Device
    ordinal: int
    address: int
    code: int
    size: int
    position: int
    buffer: int
    stream_offset: int


@dataclass(frozen=True)
class Accepted:
    """A CompleteCommand that gave NOERROR: which command, as far as known, and the values it was given.

    `whole` says that it was one of success, and for all bytes of a transfer.
    """

    ordinal: int | None
    completion_code: int
    bytes_transferred: int
    position: int
    whole: bool = False


class Device:
    """One virtual device of one client; its calls run in order on a thread of their own, or on the client's for all."""

    def __init__(self, client: Client, name: str, key: str) -> None:
        self.client = client
        self.name = name
        self.key = key
        self.thread = client.device_thread or key
        self.stream_offset = 0
        self.fetched = 0
        self.accepted: list[Accepted] = []
        self.closed = False

    def send_get_command(
        self, timeout: int | None = None, null_out: bool = False, thread: str | None = None
    ) -> PendingAnswer[CommandReply, Result[Fetched]]:
        """Start a GetCommand that waits `timeout` milliseconds; the default waits for what is bound to come.

        It runs on this device's own thread unless another is named.
        """
        milliseconds = self.client.scaled(BOUND_TO_COME) if timeout is None else timeout
        request = GetCommand(device=self.key, timeout=milliseconds, null_out=null_out, thread=thread or self.thread)
        patience = min(milliseconds, self.client.scaled(BOUND_TO_COME)) / 1000 + 10
        return PendingAnswer(self.client.host.send(request), self._fetched, patience)

    def get_command(
        self, timeout: int | None = None, null_out: bool = False, thread: str | None = None
    ) -> Result[Fetched]:
        """GetCommand."""
        return self.send_get_command(timeout, null_out, thread).result()

    def _fetched(self, reply: CommandReply) -> Result[Fetched]:
        command = None
        self.closed |= reply.code == VD_E_CLOSE
        if (record := reply.command) is not None:
            command = Fetched(
                device=self,
                ordinal=self.fetched,
                address=int(record.address, 16),
                code=record.code,
                size=record.size,
                position=int(record.position, 16),
                buffer=int(record.buffer, 16),
                stream_offset=self.stream_offset,
            )
            self.fetched += 1
        result = self.client.result(GetCommand, reply.code, command)
        if self.fetched > self.client.most_commands:
            raise ConformanceFailure(
                f"{result.call} hands out commands without end: {self.fetched} on one device", by=GET_COMMAND
            )
        return result

    def next_command(self) -> Fetched:
        """Fetch the next command, which is bound to come."""
        return self.get_command().expect(NOERROR, by=GET_COMMAND)

    def next_data_command(self) -> Fetched:
        """Fetch the next Read or Write; commands without data before it are completed with success."""
        while (command := self.next_command()).code not in DATA_COMMANDS:
            self.complete(command).expect(NOERROR, by=COMPLETE_COMMAND)
        return command

    def await_abort(self, waiting: PendingAnswer[CommandReply, Result[Fetched]] | None = None) -> None:
        """Fetch until an abort shows here, which is bound to come; what was queued before may still be handed out.

        `waiting` is a GetCommand that is under way.
        """
        end = time.monotonic() + self.client.scaled(BOUND_TO_COME) / 1000
        result = self.get_command() if waiting is None else waiting.result()
        while result.succeeded and time.monotonic() < end:
            result = self.get_command()
        result.expect(VD_E_ABORT)

    def complete(
        self,
        command: Fetched | int,
        completion_code: int = ERROR_SUCCESS,
        bytes_transferred: int = 0,
        position: int = 0,
        thread: str | None = None,
    ) -> Code:
        """CompleteCommand; a number stands for the address of a record that was not handed out here."""
        return self.send_complete(command, completion_code, bytes_transferred, position, thread).result()

    def send_complete(
        self,
        command: Fetched | int,
        completion_code: int = ERROR_SUCCESS,
        bytes_transferred: int = 0,
        position: int = 0,
        thread: str | None = None,
    ) -> PendingAnswer[CodeReply, Code]:
        """Start a CompleteCommand, on this device's own thread unless another is named."""
        request = CompleteCommand(
            device=self.key,
            command=hex(command if isinstance(command, int) else command.address),
            completion_code=completion_code,
            bytes_transferred=bytes_transferred,
            position=hex(position),
            thread=thread or self.thread,
        )

        def completed(reply: CodeReply) -> Code:
            if reply.code == NOERROR:
                self._account(command, completion_code, bytes_transferred, position)
            return self.client.code(CompleteCommand, reply.code)

        return PendingAnswer(self.client.host.send(request), completed)

    def release(self, thread: str | None = None) -> None:
        """Give up the reference, on this device's own thread unless another is named."""
        self.client.host.call(ReleaseDevice(device=self.key, thread=thread or self.thread))

    @property
    def not_completed(self) -> list[int]:
        """The numbers of commands that are not completed; a completion of an unknown one may be that of any."""
        completed = {one.ordinal for one in self.accepted}
        return [] if None in completed else sorted(set(range(self.fetched)) - completed)

    def require_accepted(self, served: Served) -> None:
        """Fail the check if a completion of an ordinary client was refused."""
        if served.refused is not None:
            self.client.code(CompleteCommand, served.refused).expect(NOERROR, by=COMPLETE_COMMAND)

    def took(self, commands: int) -> None:
        """Account for commands without data that the host has fetched and completed with success by itself."""
        for _ in range(commands):
            self.accepted.append(Accepted(self.fetched, ERROR_SUCCESS, 0, 0, whole=True))
            self.fetched += 1

    def _account(self, command: Fetched | int, completion_code: int, bytes_transferred: int, position: int) -> None:
        if isinstance(command, int):
            self.accepted.append(Accepted(None, completion_code, bytes_transferred, position))
            return
        transfer = command.code in DATA_COMMANDS
        if transfer and completion_code in (ERROR_SUCCESS, ERROR_HANDLE_EOF):
            self.stream_offset += bytes_transferred
        whole = completion_code == ERROR_SUCCESS and (not transfer or bytes_transferred == command.size)
        self.accepted.append(Accepted(command.ordinal, completion_code, bytes_transferred, position, whole))

    def send_concurrent_completions(
        self, counts: tuple[int | None, ...], limit: int | None = None
    ) -> PendingAnswer[CompletedConcurrently, list[list[int]]]:
        """Let threads complete each command at the same moment, to this device's end or for `limit` commands.

        Each thread gives its own count, None for the size of a transfer; the answer has their HRESULTs for each
        command, in the order of the counts.
        """
        request = CompleteConcurrently(
            device=self.key,
            timeout=self.client.scaled(BOUND_TO_COME),
            counts=list(counts),
            limit=limit,
            thread=self.thread,
        )

        def answered(reply: CompletedConcurrently) -> list[list[int]]:
            if limit is None:
                self.client.code(GetCommand, reply.code).expect(VD_E_CLOSE, by=END_OF_DEVICE)
            else:
                self.client.code(GetCommand, reply.code).expect(NOERROR, by=GET_COMMAND)
            self.closed = limit is None
            for codes in reply.answers:
                winners = [count for code, count in zip(codes, counts, strict=True) if code == NOERROR]
                self.accepted += [
                    Accepted(self.fetched, ERROR_SUCCESS, count or 0, 0, count is None) for count in winners
                ]
                self.fetched += 1
            return reply.answers

        return PendingAnswer(self.client.host.send(request), answered, self.client.patience_with_many_calls)

    def send_serve(
        self,
        path: str | None = None,
        limit: int | None = None,
        digest: bool = False,
        features: int = 0,
        block_size: int = MIN_BLOCK_SIZE,
    ) -> Pending[Served]:
        """Become an ordinary client application on this device, until its end or for `limit` commands.

        `features` and `block_size` say on what media it keeps its stream.
        """
        request = Serve(
            set=self.client.key,
            device=self.key,
            timeout=self.client.scaled(BOUND_TO_COME),
            path=path,
            offset=self.stream_offset,
            limit=limit,
            digest=digest,
            features=features,
            block_size=block_size,
            thread=self.thread,
        )
        return self.client.host.send(request)


def begin_to_wait(*devices: Device) -> list[PendingAnswer[CommandReply, Result[Fetched]]]:
    """Start a GetCommand on each device, and let all of them come to their waits."""
    waiting = [device.send_get_command() for device in devices]
    for client in dict.fromkeys(device.client for device in devices):
        client.let_others_wait()
    return waiting


def await_commands(
    supervisor: Supervisor, waiting: Mapping[Device, PendingAnswer[CommandReply, Result[Fetched]]]
) -> list[Device]:
    """Wait until one of these GetCommand has returned, and tell which have."""
    seconds = next(iter(waiting)).client.scaled(BOUND_TO_COME) / 1000
    supervisor.wait_for_one([later.pending for later in waiting.values()], seconds)
    return [device for device, later in waiting.items() if later.done]
