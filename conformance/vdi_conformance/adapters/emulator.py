"""The built-in adapter of the emulator: an implementation to try the suite on, and a server for other clients."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import vdi_conformance
from vdi_conformance.contract import Adapter, Capabilities, Identity

if TYPE_CHECKING:
    from vdi_conformance.contract import Environment, ScriptedServer, StatementServer, VirtualDeviceSet
    from vdi_conformance.emulator.broker_connection import BrokerConnection


class Emulator(Adapter):
    """Clients, servers and the machine of the emulator; each process imports what its role needs."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._link: BrokerConnection | None = None
        self._linking = threading.Lock()

    def identity(self) -> Identity:
        """Say that this is the emulator, in the version of the suite."""
        return Identity("emulator", vdi_conformance.__version__)

    def capabilities(self) -> Capabilities:
        """Declare a scripted server to be judged, a machine, and any instance name that SQL Server would allow."""
        return Capabilities(server="scripted", server_under_test=True, broker=True, named_instances=True)

    def virtual_device_set(self) -> VirtualDeviceSet:
        """Make a client object."""
        from vdi_conformance.emulator.client import EmulatorDeviceSet

        return EmulatorDeviceSet(self._linked())

    def scripted_server(self) -> ScriptedServer:
        """Make a server for one set."""
        from vdi_conformance.emulator.server import EmulatorServer

        return EmulatorServer(self._linked())

    def statement_server(self) -> StatementServer:
        """Make a server that runs statements."""
        from vdi_conformance.emulator.server import EmulatorServer
        from vdi_conformance.emulator.statement import EmulatorStatementServer

        return EmulatorStatementServer(lambda: EmulatorServer(self._linked()), self.environment.seed)

    def start_broker(self) -> None:
        """Start the machine of this directory on a thread of this process."""
        from vdi_conformance.emulator.broker import Broker

        Broker(self.environment.directory, self.environment.seed).start()

    def _linked(self) -> BrokerConnection:
        """Give this process's link to the machine; its lifeline is opened when it is first needed."""
        from vdi_conformance.emulator.broker_connection import BrokerConnection

        with self._linking:
            if self._link is None:
                self._link = BrokerConnection(self.environment.directory)
        return self._link
