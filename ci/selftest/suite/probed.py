"""Adapters whose first set comes to nothing: some for trouble that is not theirs, some since they are wrong."""

import os
import threading
from typing import Any

from vdi_conformance.adapters.emulator import Emulator
from vdi_conformance.contract import (
    Capabilities,
    Identity,
    Outcome,
    Statement,
    StatementOutcome,
    StatementServer,
    VirtualDevice,
)
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_INVALID, VD_E_TIMEOUT, VD_E_UNEXPECTED
from vdi_conformance.vdi.structures import VDConfig
from vdi_fixtures.uniform import UniformSet
from vdi_fixtures.wrapping import WrappedSet, Wrapping

CODE = "SELFTEST_CODE"
"""The environment variable that names the HRESULT with which sets are refused, in hexadecimal."""
TEXT = "SELFTEST_TEXT"
"""The one with what a server says, where a number is followed by a blank and a text; messages are parted by a bar."""


def _code() -> int:
    return int(os.environ[CODE], 16)


class _RefusedSet(WrappedSet):
    def create(self, name: str | None, config: VDConfig | None) -> int:
        return _code()

    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        return _code()


class Refused(Wrapping):
    """Creates no set."""

    set = _RefusedSet


class _RefusedOnceOpen(WrappedSet):
    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        plain = config is not None and config.features == 0
        return self.inner.create_ex(instance, name, config) if plain else _code()


class RefusedForFeatures(Wrapping):
    """Creates no set with features."""

    set = _RefusedOnceOpen


class _RefusedJoin(WrappedSet):
    def open_in_secondary_ex(self, instance: str | None, name: str | None) -> int:
        return _code()


class RefusedJoin(Wrapping):
    """Joins no set."""

    set = _RefusedJoin


class _Elsewhere(WrappedSet):
    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        return self.inner.create_ex(instance, None if name is None else f"{name}!", config)


class Elsewhere(Wrapping):
    """Creates sets under other names than it is told, and brings the server that does not find them."""

    set = _Elsewhere


class _StrangeSet(UniformSet):
    """A set that no server of another can find."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def answer(self) -> int:
        return NOERROR

    def signal_abort(self, *_: object) -> int:
        self._ended.set()
        return NOERROR

    def get_configuration(self, *given: Any, **named: Any) -> Outcome[Any]:
        timeout = given[0] if given else named["timeout"]
        return Outcome(VD_E_ABORT if self._ended.wait(timeout / 1000) else VD_E_TIMEOUT)

    def open_device(self, *_: object, **__: object) -> Outcome[VirtualDevice]:
        return Outcome(VD_E_INVALID)


class Stranger(Wrapping):
    """A client that has nothing to do with the emulator, and no server."""

    set_ = _StrangeSet

    def identity(self) -> Identity:
        """Name it."""
        return Identity("stranger", "1")

    def capabilities(self) -> Capabilities:
        """Declare nothing."""
        return Capabilities()

    def virtual_device_set(self) -> Any:
        """Make a client object."""
        return self.set_()


class _ImpatientSet(_StrangeSet):
    def get_configuration(self, *_: object, **__: object) -> Outcome[Any]:
        return Outcome(VD_E_UNEXPECTED)


class Impatient(Stranger):
    """One whose GetConfiguration does not even wait."""

    set_ = _ImpatientSet


class _Saying(StatementServer):
    def execute(self, statement: Statement) -> StatementOutcome:
        """Say it."""
        messages = (one.partition(" ") for one in os.environ[TEXT].split("|"))
        return StatementOutcome(False, tuple((int(number), text) for number, _, text in messages))


class Saying(Emulator):
    """A server whose statements fail at once."""

    def capabilities(self) -> Capabilities:
        """Declare a server that is not judged, beside the clients of another."""
        return Capabilities(server="statement")

    def statement_server(self) -> StatementServer:
        """Make it."""
        return _Saying()


class Own(Saying):
    """The same beside its own clients."""

    def capabilities(self) -> Capabilities:
        """Declare what those need."""
        return Capabilities(server="statement", broker=True)


class Judged(Saying):
    """The same, where the server is judged too."""

    def capabilities(self) -> Capabilities:
        """Declare one that is judged."""
        return Capabilities(server="statement", server_under_test=True, broker=True)


class Speechless(Emulator):
    """Declares a server beside the clients of another, and serves none."""

    def capabilities(self) -> Capabilities:
        """Declare it."""
        return Capabilities(server="statement")

    def statement_server(self) -> StatementServer:
        """Have none."""
        raise NotImplementedError


class OwnSpeechless(Speechless):
    """The same beside its own clients."""

    def capabilities(self) -> Capabilities:
        """Declare what those need."""
        return Capabilities(server="statement", broker=True)


class _Nowhere(WrappedSet):
    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        outcome = self.inner.map_buffer_handle(handle, null_out)
        return Outcome(NOERROR, 0x10) if outcome.code == NOERROR else outcome


class Nowhere(Wrapping):
    """Maps buffers where no memory is."""

    set = _Nowhere
