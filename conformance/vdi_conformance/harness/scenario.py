"""What statements and scripts have in common: how a set is laid out, who takes part, and which devices they opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.judging import Needed
from vdi_conformance.vdi.commands import VDF_LIKE_TAPE
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import MAX_ALIGNMENT, VDConfig

if TYPE_CHECKING:
    from vdi_conformance.contract import Subject
    from vdi_conformance.harness.client import Client
    from vdi_conformance.harness.device import Device
    from vdi_conformance.harness.expectations import Code
    from vdi_conformance.host.process import Host
    from vdi_conformance.host.supervisor import Supervisor


@dataclass(frozen=True)
class Scenario:
    """How a statement and its set are laid out; sizes are in bytes, `owners` says who opens each device.

    Owner 0 is the primary, 1 and above are secondaries; the owners repeat where there are more devices. There are
    as many secondaries as the owners need, and at least `secondaries`. `database` is the size of what is moved,
    by default so much that each device moves about `transfers` full buffers. `server_time_out` is in milliseconds
    (0: never), `eom_warning_size` in bytes; `subject` and `snapshot` are those of the statement. `older` means that
    the set is created and joined by the older forms, Create and OpenInSecondary; `older_creating` and `older_joining`
    mean one of the two.
    """

    devices: int = 1
    owners: tuple[int, ...] = (0,)
    secondaries: int = 0
    block_size: int = 512
    max_transfer_size: int = 65536
    buffer_count: int = 4
    prefix_zone_size: int = 0
    alignment: int = 0
    features: int = 0
    transfers: int = 3
    database: int | None = None
    server_time_out: int = 0
    soft_file_mark_block_size: int = 0
    eom_warning_size: int = 0
    subject: Subject = "database"
    snapshot: bool = False
    instance: str | None = None
    older: bool = False
    older_creating: bool = False
    older_joining: bool = False

    @property
    def database_size(self) -> int:
        """So many bytes are moved, over all devices."""
        return self.database or self.devices * self.transfers * self.max_transfer_size

    @property
    def config(self) -> VDConfig:
        """The client's half of the configuration."""
        return VDConfig(
            device_count=self.devices,
            features=self.features,
            prefix_zone_size=self.prefix_zone_size,
            alignment=self.alignment,
            soft_file_mark_block_size=self.soft_file_mark_block_size,
            eom_warning_size=self.eom_warning_size,
            server_time_out=self.server_time_out,
        )

    @property
    def stream_key(self) -> str:
        """What decides the streams that a BACKUP makes."""
        sizes = f"{self.devices}-{self.block_size}-{self.max_transfer_size}-{self.database_size}-{self.features}"
        return f"{sizes}-{self.subject}-{self.snapshot}"


USUAL: Final = Scenario()
"""One device, opened by the primary, which moves a few small buffers."""


RICH: Final = Scenario(
    devices=2,
    features=VDF_LIKE_TAPE,
    prefix_zone_size=512,
    alignment=1024,
    soft_file_mark_block_size=2048,
    eom_warning_size=131072,
    server_time_out=3_600_000,
)
"""Every field that a client gives has a value of its own."""


@dataclass(frozen=True)
class Placement:
    """The processes that carry a scenario out: a server, a primary and perhaps secondaries, on a set of this name."""

    scenario: Scenario
    name: str
    server: Host
    clients: tuple[Client, ...]
    supervisor: Supervisor

    @property
    def device_names(self) -> tuple[str, ...]:
        """The names of the devices: the first one is the set's."""
        return (self.name, *(f"{self.name}-{index}" for index in range(1, self.scenario.devices)))


class SetInUse:
    """A set in use: its primary, its secondaries and the devices that they opened.

    `joined` are those who have ever had it open, `configuration` is what the primary was told first.
    """

    def __init__(self, placement: Placement) -> None:
        self.scenario = placement.scenario
        self.set_name = placement.name
        self.primary, *self.secondaries = placement.clients
        self.clients = list(placement.clients)
        self._all_clients = list(placement.clients)
        self.device_names = placement.device_names
        self.devices: list[Device] = []
        self.joined: list[Client] = []
        self.configuration: VDConfig | None = None

    @property
    def requested(self) -> int:
        """So many bytes of buffers the server has asked for, as far as that is known."""
        return 0

    @property
    def device(self) -> Device:
        """The first device."""
        return self.devices[0]

    def create(self) -> None:
        """Let the primary create the set."""
        scenario = self.scenario
        if scenario.older or scenario.older_creating:
            self.primary.create(self.set_name, scenario.config).expect(NOERROR, by=Needed("CRE-17"))
        else:
            self.primary.create_ex(scenario.instance, self.set_name, scenario.config).expect(
                NOERROR, by=Needed("CRE-01")
            )
        self.joined.append(self.primary)

    def join(self, secondary: Client) -> Code:
        """Let a process that has a client object of its own open the set."""
        if self.scenario.older or self.scenario.older_joining:
            answer = secondary.open_in_secondary(self.set_name)
        else:
            answer = secondary.open_in_secondary_ex(self.scenario.instance, self.set_name)
        if answer.code == NOERROR:
            self.joined.append(secondary)
        return answer

    def enlist(self, secondary: Client) -> None:
        """Let a further process join, and count it among the cast."""
        self.join(secondary).expect(NOERROR, by=Needed("SEC-01"))
        self.clients.append(secondary)
        self._all_clients.append(secondary)
        self.secondaries.append(secondary)

    def forget(self, secondary: Client) -> None:
        """Take a secondary that has closed out of the cast."""
        self.clients.remove(secondary)
        self.secondaries.remove(secondary)

    def join_all(self, without: Client | None = None) -> None:
        """Let the secondaries of the cast join, but for one that comes later."""
        for secondary in self.secondaries:
            if secondary is not without:
                self.join(secondary).expect(NOERROR, by=Needed("SEC-01"))

    def owner_of(self, index: int) -> Client:
        """Name who opens a device."""
        owners = self.scenario.owners
        return self.clients[owners[index % len(owners)]]

    def open_device(self, index: int) -> None:
        """Let its owner open a device."""
        owner = self.owner_of(index)
        self.devices.append(owner.open_device(self.device_names[index]).expect(NOERROR, by=Needed("OPD-01")))

    def open_devices(self) -> None:
        """Let the owners open every device."""
        for index in range(self.scenario.devices):
            self.open_device(index)

    @property
    def pool_size(self) -> int:
        """So many bytes that the whole pool, with prefix zones and the buffers for metadata, is surely smaller."""
        one = self.scenario.max_transfer_size + self.scenario.prefix_zone_size + MAX_ALIGNMENT
        return 4 * (self.scenario.buffer_count + 2 * self.scenario.devices) * one
