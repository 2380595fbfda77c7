"""sqlcmd and osql as programs: what they are told goes to a running emulator, and what it answers is written.

`python -I -S relay.py PROGRAM DIRECTORY ARGUMENTS...`; it imports nothing of the package, so that it starts at once.
The protocol is described in `channel.py`.
"""

import os
import signal
import socket
import sys

ENDPOINT = "sqlcmd.endpoint"
FAILED = 1
PREFIXES = ("SQLCMD", "OSQL")
NAP = 0.2
"""Windows does not tell a waiting socket of Ctrl-C: so many seconds later at most it is seen."""


class Gone(Exception):
    """The emulator has gone, or was never there; the text is one sentence."""


class Emulator:
    """The connection."""

    def __init__(self, directory: str) -> None:
        place, secret = _endpoint(directory)
        try:
            self.secret = bytes.fromhex(secret[1:])
            path = bytes.fromhex(place[1:]).decode() if place.startswith("x") else None
            self._socket = _to_port(int(place)) if path is None else _to_path(path)
        except (OSError, ValueError, OverflowError):
            raise Gone(_nobody(directory)) from None
        if os.name == "nt":
            self._socket.settimeout(NAP)
        self._received = b""

    def send(self, name: str, *fields: bytes | int) -> None:
        """Send one line."""
        words = [f"x{field.hex()}" if isinstance(field, bytes) else str(field) for field in fields]
        self._socket.sendall(" ".join([name, *words]).encode() + b"\n")

    def receive(self) -> list[str]:
        """Give the words of the next line."""
        while b"\n" not in self._received:
            try:
                chunk = self._socket.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                chunk = b""
            if not chunk:
                raise Gone("The emulated SQL Server has gone.")
            self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line.decode().split()


class Relay:
    """What the emulator asks for, done here."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._out = sys.stdout.buffer
        self._waits_for_input = False

    def start(self, program: str, arguments: list[str]) -> None:
        """Send the command line, and the variables that matter."""
        told = [(name, value) for name, value in os.environ.items() if name.upper().startswith(PREFIXES)]
        words = [*arguments, *(word for pair in told for word in pair)]
        is_interactive = sys.stdin is not None and sys.stdin.isatty()
        counts = (int(is_interactive), len(arguments), len(told))
        self._emulator.send("run", self._emulator.secret, program.encode(), *counts, *map(os.fsencode, words))

    def obey(self) -> int:
        """Do what is asked for until the exit code comes."""
        while True:
            name, *fields = self._emulator.receive()
            value = bytes.fromhex(fields[0][1:]) if fields and fields[0].startswith("x") else b""
            if name == "exit":
                self._out.flush()
                return int(fields[0])
            if name == "out":
                _write(self._out, value)
            elif name == "err":
                _write(sys.stderr.buffer, value)
            elif name == "input":
                self._pass_line()
            elif name == "read":
                self._pass_file(os.fsdecode(value))
            elif name == "redirect":
                self._redirect(os.fsdecode(value))

    def _pass_line(self) -> None:
        self._waits_for_input = True
        line = sys.stdin.buffer.readline() if sys.stdin is not None else b""
        self._waits_for_input = False
        self._emulator.send("content", line)

    def _pass_file(self, path: str) -> None:
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - pathlib takes as long to import as all the rest
                self._emulator.send("content", file.read())
        except OSError as error:
            self._fail(error)

    def _redirect(self, path: str) -> None:
        try:
            self._out = open(path, "wb")  # noqa: PTH123, SIM115 - it is written to the end of the process
            self._emulator.send("content", b"")
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._emulator.send("failed", f"{error.filename}: {error.strerror}".encode())

    def interrupt(self, *_: object) -> None:
        """Have the batch cancelled, or end where input is waited for."""
        if self._waits_for_input:
            raise SystemExit(FAILED)
        self._emulator.send("cancel")


def _write(stream: "object", data: bytes) -> None:
    stream.write(data.replace(b"\n", b"\r\n") if os.name == "nt" else data)  # type: ignore[attr-defined]
    stream.flush()  # type: ignore[attr-defined]


def _to_port(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


if sys.platform == "win32":

    def _to_path(path: str) -> socket.socket:
        raise OSError(f"{path} is of another system")

else:

    def _to_path(path: str) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            raise
        return connection


def _endpoint(directory: str) -> list[str]:
    try:
        with open(os.path.join(directory, ENDPOINT), encoding="ascii") as file:  # noqa: PTH118, PTH123
            place, secret = file.read().split()
    except (OSError, ValueError):
        raise Gone(_nobody(directory)) from None
    return [place, secret]


def _nobody(directory: str) -> str:
    return f"No emulated SQL Server answers in {directory}: start one by vdi-conformance emulator --directory."


def main(program: str, directory: str, *arguments: str) -> int:
    """Be the program, and give its exit code."""
    try:
        relay = Relay(Emulator(directory))
        signal.signal(signal.SIGINT, relay.interrupt)
        relay.start(program, list(arguments))
        return relay.obey()
    except Gone as reason:
        sys.stderr.write(f"{program.capitalize()}: Error: {reason}\n")
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
