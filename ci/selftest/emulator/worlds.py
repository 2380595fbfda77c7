"""A broker without processes, sockets or clocks: calls go in, answers come out, time passes on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vdi_conformance.emulator.broker_state import BrokerState
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_WRITE
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import INFINITE, VDConfig

SIZE = 65536
DEFAULT = VDConfig()


@dataclass(eq=False)
class Call:
    """A call that was made; without an answer it waits."""

    answer: tuple[Any, ...] | None = None

    @property
    def waits(self) -> bool:
        """Whether there is no answer yet."""
        return self.answer is None

    @property
    def code(self) -> int:
        """The HRESULT."""
        assert self.answer is not None, "the call waits"
        return int(self.answer[0])

    @property
    def out(self) -> tuple[Any, ...]:
        """The out values of a call that must have succeeded."""
        assert self.code == NOERROR, hex(self.code)
        assert self.answer is not None
        return self.answer[1:]


@dataclass
class World:
    """A broker, and the time there."""

    seed: int = 0
    now: float = 1000.0
    taken: int = 0
    broker: BrokerState[Call] = field(init=False)

    def __post_init__(self) -> None:
        self.broker = BrokerState(self.seed, self.taken)
        self._objects = 0

    def call(self, process: int, name: str, *fields: Any) -> Call:
        """Make a call from a process."""
        call = Call()
        self.broker.call(call, process, name, fields, self.now)
        self.deliver()
        return call

    def deliver(self) -> None:
        """Hand out the answers that there are."""
        for call, answer in self.broker.answers:
            assert call.answer is None, "a call was answered twice"
            call.answer = (answer.code, *answer.values)
        self.broker.answers.clear()

    def wait(self, milliseconds: float) -> None:
        """Let time pass, stopping wherever the broker wants to be woken."""
        end = self.now + milliseconds / 1000
        while (deadline := self.broker.next_deadline()) is not None and deadline <= end:
            self.now = deadline
            self.broker.tick(self.now)
            self.deliver()
        self.now = end

    def die(self, process: int) -> None:
        """End a process."""
        self.broker.process_died(process)
        self.deliver()

    def client(self, process: int = 1) -> Client:
        """Make a client object."""
        self._objects += 1
        return Client(self, process, self._objects)

    def server(self, process: int = 9) -> Server:
        """Make a server."""
        self._objects += 1
        return Server(self, process, self._objects)


@dataclass
class _Object:
    world: World
    process: int
    number: int

    def call(self, name: str, *arguments: Any) -> Call:
        """Make a call of this object."""
        return self.world.call(self.process, name, self.number, *arguments)


class Client(_Object):
    """A client object."""

    def create(self, name: str | None = "set", instance: str | None = None, config: VDConfig | None = DEFAULT) -> int:
        """CreateEx."""
        return self.call("create", instance, name, None if config is None else config.pack().hex()).code

    def attach(self, name: str | None = "set", instance: str | None = None) -> int:
        """OpenInSecondaryEx."""
        return self.call("attach", instance, name).code

    def configuration(self, timeout: int = 0) -> Call:
        """GetConfiguration."""
        return self.call("get_configuration", timeout, False)

    def open(self, name: str | None = "set", null_out: bool = False) -> Call:
        """OpenDevice."""
        return self.call("open_device", name, null_out)

    def get(self, device: int, timeout: int = 0, null_out: bool = False) -> Call:
        """GetCommand."""
        return self.call("get_command", timeout, device, null_out)

    def complete(self, device: int, command: int, code: int = 0, count: int = 0, position: int = 0) -> int:
        """CompleteCommand."""
        return self.call("complete_command", device, command, code, count, position).code

    def abort(self) -> int:
        """SignalAbort."""
        return self.call("signal_abort").code

    def close(self) -> int:
        """Close."""
        return self.call("close").code


class Server(_Object):
    """A server."""

    def open(self, name: str = "set", instance: str | None = None) -> int:
        """Open."""
        return self.call("server_open", instance, name).code

    def configure(self, buffers: int = 4, devices: tuple[str, ...] = ("set",)) -> None:
        """Go from Connected to where the devices are open."""
        assert self.begin() == NOERROR
        assert self.call("server_request_buffers", SIZE, 0, buffers).code == NOERROR
        self.make_area(self.call("server_end_configuration"))
        for device in devices:
            assert self.call("server_open_device", device).code == NOERROR

    def begin(self, alignment: int = 0, block_size: int = 512, max_transfer_size: int = SIZE) -> int:
        """BeginConfiguration."""
        return self.call("server_begin_configuration", 0x10000, alignment, block_size, max_transfer_size).code

    def make_area(self, call: Call, made: bool = True) -> int:
        """Answer a call that needs an area; give the length that it asks for."""
        area, length = call.out
        self.call("server_area_made", area, made)
        return int(length)

    def buffer(self, size: int = SIZE, alignment: int = 0) -> tuple[int, int]:
        """AllocateBuffer: where it lies."""
        area, offset = self.call("server_allocate_buffer", size, alignment).out
        return area, offset

    def write(self, device: str = "set", tag: int = 0, place: tuple[int, int] | None = None) -> int:
        """Send a Write, of a new buffer unless one is given."""
        return self.call("server_send_command", device, tag, VDC_WRITE, SIZE, 0, 0, *(place or self.buffer())).code

    def send(self, device: str = "set", code: int = VDC_FLUSH, tag: int = 0, size: int = 0) -> int:
        """Send a command without data."""
        return self.call("server_send_command", device, tag, code, size, 0, 0, 0, 0).code

    def completions(self) -> list[tuple[Any, ...]]:
        """Take what has been completed: tag, device, code, count, position, whether inside SendCommand."""
        taken = []
        while (call := self.call("server_next_completion", 0)).code == NOERROR:
            taken.append(call.out)
        return taken

    def tags(self) -> list[tuple[int, int]]:
        """Take what has been completed: tag and completion code alone."""
        return [(tag, code) for tag, _, code, *_ in self.completions()]

    def close_device(self, device: str = "set") -> int:
        """CloseDevice."""
        return self.call("server_close_device", device).code

    def close(self) -> int:
        """Close."""
        return self.call("server_close").code


@dataclass
class Session:
    """A configured set: its primary, its server, and the primary's devices by name."""

    world: World
    primary: Client
    server: Server
    devices: dict[str, int]

    @property
    def device(self) -> int:
        """The device that bears the set's name."""
        return self.devices["set"]


def session(
    names: tuple[str, ...] = ("set",), opened: bool = True, buffers: int = 4, config: VDConfig = DEFAULT
) -> Session:
    """Bring a set to Initializing, or to Active with all its devices open."""
    world = World()
    primary, server = world.client(), world.server()
    assert primary.create(config=config._replace(device_count=len(names))) == NOERROR
    assert server.open() == NOERROR
    waiting = primary.configuration(INFINITE)
    server.configure(buffers, names)
    assert waiting.code == NOERROR
    devices = {name: primary.open(name).out[0] for name in names} if opened else {}
    return Session(world, primary, server, devices)
