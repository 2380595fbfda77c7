"""A BACKUP or RESTORE at statement level: what a real server allows to be seen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from vdi_conformance.harness.device import BOUND_TO_COME, COMPLETE_COMMAND, END_OF_DEVICE, GET_COMMAND, await_commands
from vdi_conformance.harness.judging import ConformanceFailure, Needed, WaitedInVain, needing, not_tested
from vdi_conformance.harness.memory import FileSlice
from vdi_conformance.harness.scenario import Placement, SetInUse
from vdi_conformance.harness.server_trouble import all_said
from vdi_conformance.harness.shared_memory import BufferView
from vdi_conformance.host.errors import MethodNotFound
from vdi_conformance.host.medium import Medium, keep_marks_beside, marks_beside
from vdi_conformance.host.messages.client import GetCommand
from vdi_conformance.host.messages.server import ExecuteStatement, StatementEnd
from vdi_conformance.vdi.commands import DATA_COMMANDS, VDC_WRITE_MARK
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_CLOSE, VD_E_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vdi_conformance.harness.device import Device, Fetched
    from vdi_conformance.harness.expectations import Answer, Code, PendingAnswer
    from vdi_conformance.host.messages.client import Served
    from vdi_conformance.host.process import Pending

Kind = Literal["backup", "restore"]

A = TypeVar("A", bound="Answer")

STALL: Final = 1_000
"""After so many milliseconds, before scaling, a server is taken to wait for the commands that are held."""


class StatementRun(SetInUse):
    """A running statement with its primary, its secondaries and the devices that they opened."""

    def __init__(self, kind: Kind, placement: Placement, streams: Path | None, seed: int) -> None:
        super().__init__(placement)
        self.kind = kind
        self.server = placement.server
        self._supervisor = placement.supervisor
        self._streams = streams
        self._media: dict[Device, Medium] = {}
        self._seed = seed
        self.statements: list[Pending[StatementEnd]] = []
        self.must_miss = self._configured = False

    @property
    def configured(self) -> bool:
        """Whether a client was told of the configuration of this very set."""
        return self._configured or any(one.has_configured(self.set_name) for one in self._all_clients)

    @property
    def requested(self) -> int:
        """The bytes of the buffers that the largest of its statements asks for, as far as it says how many."""
        asked = [pending.request for pending in self.statements if isinstance(pending.request, ExecuteStatement)]
        return max(((one.max_transfer_size or 0) * (one.buffer_count or 0) for one in asked), default=0)

    def start(self) -> None:
        """Create the set, run the statement, let the secondaries join, and open every device."""
        self.create()
        self.configure()
        self.join_all()
        self.open_devices()

    def execute(self, **options: Any) -> None:
        """Begin to run the statement on the set that was created; options go before what the scenario says."""
        self._statement = self.server.send(msgspec.structs.replace(self._request(), **options))
        self.statements.append(self._statement)
        self.began = time.monotonic()

    def configure(self) -> None:
        """Run the statement on the set that was created, and wait until it has configured it."""
        self.execute()
        self.configuration = self.await_configuration(self.primary.send_get_configuration()).expect(
            NOERROR, by=Needed("CFG-01")
        )

    def await_configuration(self, configuring: PendingAnswer[Any, A]) -> A:
        """Give the answer of a GetConfiguration on the set of a statement that runs, or that has ended already."""
        self._supervisor.wait_any([self._statement, configuring.pending])
        if self._statement.done and not configuring.done:
            # Nothing but an abort wakes the call any more, and that has been posted: there is no use in waiting long.
            self._supervisor.wait_any([configuring.pending], self.primary.scaled(STALL) / 1000)
            if not configuring.done:
                raise WaitedInVain("the statement ended, and GetConfiguration went on waiting")
        answer = configuring.result()
        self._configured |= answer.code == NOERROR
        return answer

    def refuse(self, **options: Any) -> StatementEnd:
        """Run a statement that cannot be, on the set that was created, and give its end.

        A server that configures the set and goes on would wait for clients: the check fails without waiting for it.
        """
        configuring = self.primary.send_get_configuration(thread="configuration")
        self.execute(**options)
        self._supervisor.wait_any([self._statement, configuring.pending])
        if configuring.done and configuring.result().succeeded and not self.ends_within(STALL):
            raise ConformanceFailure("the server took a statement that it had to refuse, and configured the set")
        return self.outcome()

    def ends_before(self, waiting: PendingAnswer[Any, Any]) -> bool:
        """Run the statement on the set that was created; tell whether it ends before a call that is under way."""
        self.must_miss = True
        self.execute()
        self._supervisor.wait_any([self._statement, waiting.pending], self.primary.scaled(BOUND_TO_COME) / 1000)
        return not waiting.done

    def _request(self) -> ExecuteStatement:
        return ExecuteStatement(
            operation=self.kind,
            instance=self.scenario.instance,
            devices=list(self.device_names),
            seed=self._seed,
            size=self.scenario.database_size,
            block_size=self.scenario.block_size,
            max_transfer_size=self.scenario.max_transfer_size,
            buffer_count=self.scenario.buffer_count,
            subject=self.scenario.subject,
            snapshot=self.scenario.snapshot,
            thread="statement",
        )

    def stream(self, device: Device) -> str | None:
        """The file that holds, or receives, the stream of a device; None where nobody wants it."""
        if self._streams is None:
            return None
        return str(self._streams / f"{self.device_names.index(device.name)}.stream")

    def medium(self, device: Device) -> Medium:
        """Where the client stands on a tape or a disk; for a pipe the device itself counts."""
        if device not in self._media:
            path = self.stream(device)
            marks = () if path is None else marks_beside(path)
            self._media[device] = Medium(self.scenario.features, self.scenario.block_size, marks=marks)
        return self._media[device]

    def _place(self, command: Fetched) -> int:
        """Where in its device's stream a Read or Write goes on."""
        medium = self.medium(command.device)
        medium.begin(command.position)
        return command.stream_offset if medium.is_pipe else medium.offset

    def content(self, command: Fetched) -> FileSlice:
        """What a Read asks for: the next bytes of its device's stream, fewer at its end or before a filemark."""
        path = self.stream(command.device)
        if path is None:
            raise ValueError("a BACKUP has no content to give")
        offset = self._place(command)
        left = max(0, Path(path).stat().st_size - offset)
        return FileSlice(path, offset, min(self.medium(command.device).readable(command.size), left))

    def answer(
        self, command: Fetched, view: BufferView | None = None, position: int = 0, thread: str | None = None
    ) -> Code:
        """Be an ordinary client for one Read or Write: move its bytes, through `view` if given, and complete it."""
        process, address = command.device.client, command.buffer
        view = view or BufferView(process, address)
        size, code, medium = command.size, ERROR_SUCCESS, self.medium(command.device)
        if self.kind == "restore":
            content = self.content(command)
            size, code = content.size, medium.has_read(command.size, content.size)
            view.process.fill(view.address, content)
        else:
            if (path := self.stream(command.device)) is not None:
                view.process.save(view.address, size, path, self._place(command))
            medium.has_written(size)
        return command.device.complete(command, code, size, position, thread)

    def answer_any(self, command: Fetched) -> Code:
        """Be an ordinary client for one command of any kind."""
        return self.answer(command) if command.code in DATA_COMMANDS else self._perform(command)

    def _perform(self, command: Fetched) -> Code:
        """Be an ordinary client for a command that moves no data."""
        medium, path = self.medium(command.device), self.stream(command.device)
        end = Path(path).stat().st_size if path is not None and Path(path).exists() else 0
        code, position = medium.perform(command.code, command.size, command.position, end)
        if command.code == VDC_WRITE_MARK and path is not None:
            keep_marks_beside(path, medium)
        return command.device.complete(command, code, 0, position)

    def commands(self, *ends: int) -> Iterator[Fetched]:
        """Give every command of every device as it comes, until all have ended; the caller completes each.

        A device ends with VD_E_CLOSE, or with one of `ends`.
        """
        waiting = {device: device.send_get_command() for device in self.devices}
        while waiting:
            for device in await_commands(self._supervisor, waiting):
                result = waiting.pop(device).result()
                result.expect(NOERROR, VD_E_CLOSE, *ends, by=GET_COMMAND)
                if result.code == NOERROR:
                    yield result.expect(NOERROR)
                    waiting[device] = device.send_get_command()

    def hold_all(self) -> list[Fetched]:
        """Hold a data command of every device at once, in the order of the devices.

        The first one of each device is answered, since a server may write or read its labels one after the other. A
        server that then waits for what is held is answered too, as often as there are devices; one that never has
        commands outstanding on all devices at once cannot show what needs them.
        """
        waiting = {device: device.send_get_command() for device in self.devices}
        held: dict[Device, Fetched] = {}
        stalls = 0
        while waiting:
            # With nothing held there is nothing that the server could wait for.
            seconds = self.primary.scaled(STALL if held else BOUND_TO_COME) / 1000
            if self._supervisor.wait_any([later.pending for later in waiting.values()], seconds) is None:
                if not held or stalls == len(self.devices):
                    not_tested("the server sent no command to some devices while the others waited for more")
                stalls += 1
                for device, command in held.items():
                    self.answer(command).expect(NOERROR, by=COMPLETE_COMMAND)
                    waiting[device] = device.send_get_command()
                held.clear()
            for device in [device for device, later in waiting.items() if later.done]:
                result = waiting.pop(device).result()
                if result.code in (VD_E_CLOSE, VD_E_TIMEOUT):
                    not_tested("the server had never commands outstanding on all devices at once")
                command = result.expect(NOERROR, by=GET_COMMAND)
                if command.code in DATA_COMMANDS and device.stream_offset:
                    held[device] = command
                else:
                    self.answer_any(command).expect(NOERROR, by=COMPLETE_COMMAND)
                    waiting[device] = device.send_get_command()
        return [held[device] for device in self.devices]

    def next_data_command(self, number: int = 0) -> Fetched:
        """Fetch the next Read or Write of a device; others are served while the server wants them first."""
        device = self.devices[number]
        others = [other for other in self.devices if other is not device]
        while True:
            waiting = device.send_get_command()
            while self._supervisor.wait_any([waiting.pending], self.primary.scaled(STALL) / 1000) is None:
                for other in others:
                    self.answer_next(other, 1)
            command = waiting.result().expect(NOERROR, by=GET_COMMAND)
            if command.code in DATA_COMMANDS:
                return command
            self.answer_any(command).expect(NOERROR, by=COMPLETE_COMMAND)

    def data_commands(self, *ends: int) -> Iterator[Fetched]:
        """Give every Read and Write as it comes; an ordinary client does the commands without data."""
        for command in self.commands(*ends):
            if command.code in DATA_COMMANDS:
                yield command
            else:
                self.answer_any(command).expect(NOERROR, by=COMPLETE_COMMAND)

    def answer_next(self, device: Device, count: int) -> None:
        """Be an ordinary client on one device for so many commands; a server may stop it while others hold theirs."""
        for _ in range(count):
            result = device.get_command(self.primary.scaled(STALL))
            if result.code == VD_E_TIMEOUT:
                return
            self.answer_any(result.expect(NOERROR, by=GET_COMMAND)).expect(NOERROR, by=COMPLETE_COMMAND)

    def pass_commands(self, device: Device, count: int) -> None:
        """Be an ordinary client on one device for so many commands, while others hold theirs.

        A server that waits for what is held cannot show what needs this.
        """
        try:
            pending = device.send_serve(self.stream(device), limit=count) if self.medium(device).is_pipe else None
            served = None if pending is None else pending.result(device.client.patience_with_many_calls)
        except MethodNotFound:
            served = None
        if served is None:
            for _ in range(count):
                result = device.get_command()
                _require_commands(result.code)
                self.answer_any(result.expect(NOERROR, by=GET_COMMAND)).expect(NOERROR, by=COMPLETE_COMMAND)
            return
        device.require_accepted(served)
        _require_commands(served.code)
        device.client.code(GetCommand, served.code).expect(NOERROR, by=GET_COMMAND)
        device.stream_offset += served.bytes

    def passes(self, device: Device, count: int) -> bool:
        """Be an ordinary client on one device for so many commands, or up to an abort: tell whether none came.

        A server may also stop sending, until what others hold is completed, or close the device.
        """
        for _ in range(count):
            result = device.get_command(self.primary.scaled(STALL))
            result.expect(NOERROR, VD_E_TIMEOUT, VD_E_CLOSE, VD_E_ABORT, by=GET_COMMAND)
            if result.code != NOERROR:
                return result.code != VD_E_ABORT
            answer = self.answer_any(result.expect(NOERROR, by=GET_COMMAND))
            answer.expect(NOERROR, VD_E_ABORT, by=COMPLETE_COMMAND)
            if answer.code == VD_E_ABORT:
                return False
        return True

    def run_out(self) -> StatementEnd:
        """Be an ordinary client on every device to its end, and wait for the statement's."""
        try:
            served = self._serve_devices()
        except MethodNotFound:
            served = False
        for command in () if served else self.commands():
            self.answer_any(command).expect(NOERROR, by=COMPLETE_COMMAND)
        return self.outcome()

    def _serve_devices(self) -> bool:
        """Let the hosts make the calls by themselves, which saves their way through the pipe.

        They begin where a tape or a disk begins, so that nothing may have been done there: tell whether they did it.
        """
        if any(device.fetched and not self.medium(device).is_pipe for device in self.devices):
            return False
        serving = [(device, self._send_serve(device)) for device in self.devices]
        for device, pending in serving:
            with needing("CMD-24"):
                served = pending.result(device.client.patience_with_many_calls)
            device.require_accepted(served)
            device.client.code(GetCommand, served.code).expect(VD_E_CLOSE, by=END_OF_DEVICE)
            device.closed = True
        return True

    def _send_serve(self, device: Device) -> Pending[Served]:
        """Let a host be the client."""
        scenario = self.scenario
        return device.send_serve(self.stream(device), features=scenario.features, block_size=scenario.block_size)

    def drain(self) -> StatementEnd:
        """Be an ordinary client on every device until each is closed or aborted, and wait for the statement's end."""
        for command in self.commands(VD_E_ABORT):
            self.answer_any(command).expect(NOERROR, VD_E_ABORT, by=COMPLETE_COMMAND)
        return self.outcome()

    @property
    def ended(self) -> bool:
        """Whether the statement has ended."""
        return self._statement.done

    def outcome(self) -> StatementEnd:
        """Wait for the end of the statement, which is bound to come."""
        seconds = self.primary.patience_with_many_calls
        if self._supervisor.wait_any([self._statement], seconds) is None:
            raise WaitedInVain(
                f"the {self.kind.upper()} did not end in {seconds:g} s, and its clients had done their part"
            )
        return self._statement.result()

    def ends_within(self, milliseconds: int) -> bool:
        """Tell whether the statement ends in that time, before scaling, with nothing more from its clients."""
        return self._supervisor.wait_any([self._statement], self.primary.scaled(milliseconds) / 1000) is not None

    def close(self) -> None:
        """Close every client, the secondaries first, each with NOERROR."""
        for secondary in self.secondaries:
            secondary.close().expect(NOERROR, by=Needed("SEC-18"))
        self.primary.close().expect(NOERROR, by=Needed("CLS-01"))

    def finish(self) -> StatementEnd:
        """Run the statement to its end as ordinary clients do, and close everything."""
        end = self.run_out()
        self.close()
        return end

    def succeed(self) -> None:
        """Finish, and fail the check unless the statement succeeded."""
        self.require_success(self.finish())

    def require_failure(self) -> None:
        """Fail the check unless the statement ends without success."""
        if self.outcome().succeeded:
            raise ConformanceFailure(f"the {self.kind.upper()} succeeded", ("failure",), "success")

    def check_end(self) -> None:
        """Hold the invariant: a BACKUP succeeds if, and only if, all that it asked for was done.

        A RESTORE may leave a Read alone that it needs no more, and whether it succeeds depends on its bytes.
        """
        if self.kind == "restore":
            return
        undone = [f"{device.name} {number}" for device in self.devices for number in device.not_completed]
        if undone and self._statement.done and self.outcome().succeeded:
            sentence = f"the BACKUP succeeded, nobody completed its commands {', '.join(undone)}"
            raise ConformanceFailure(sentence, by="CMP-20")
        if not undone and self._went_well():
            self.require_success(self.outcome())

    def _went_well(self) -> bool:
        """Tell whether every device came to its end with every command done, and nobody left or aborted before."""
        return (
            len(self.devices) == self.scenario.devices
            and all(device.closed and all(one.whole for one in device.accepted) for device in self.devices)
            and not any(one.aborted or one.host.told_to_exit for one in self._all_clients)
        )

    def require_success(self, end: StatementEnd) -> None:
        """Fail the check unless the statement succeeded."""
        if not end.succeeded:
            sentence = f"the {self.kind.upper()} failed: {all_said(end.messages)}"
            # All that its server knows of the commands comes from CompleteCommand.
            raise ConformanceFailure(sentence, ("success",), "failure", by=COMPLETE_COMMAND)


def _require_commands(code: int) -> None:
    """End the check as not tested where a device got no further command."""
    if code in (VD_E_TIMEOUT, VD_E_CLOSE):
        not_tested("the server sent too few commands to a device while another one held its own")
