"""From a combination of values to numbers: sizes, buffers, who opens which device, who does what; pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice
from typing import TYPE_CHECKING, Final
from zlib import crc32

from vdi_conformance.harness.scenario import Scenario
from vdi_conformance.vdi.commands import VDC_READ, VDC_WRITE, VDF_LIKE_TAPE, VDF_READ_MEDIA, VDF_WRITE_MEDIA
from vdi_conformance.vdi.structures import MAX_ALIGNMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdi_conformance.harness.statement_run import Kind

MIB: Final = 1 << 20
SIZES: Final = {"64 KiB": 64 << 10, "192 KiB": 192 << 10, "1 MiB": MIB, "4 MiB": 4 * MIB}
POOLS: Final = {"as it comes": 0, "16 MiB": 16 * MIB, "64 MiB": 64 * MIB, "256 MiB": 256 * MIB}
LEAVING: Final = ("close", "exit", "kill")
"""What happens meanwhile to a process that fetches nothing."""
ABORTS: Final = ("primary aborts", "secondary aborts", "server aborts", "time limit", "server dies", "primary dies")
MOST_HELD: Final = 20
"""So many commands at the most are held at once: more than a table of 16 has."""
FEW: Final = 3
"""So many devices at the most are closed one by one at the end."""
HALF: Final = 1 << 31
"""Half as many as there are handles."""
INSTANCE: Final = "VDI1"


@dataclass(frozen=True)
class Use:
    """A buffer of an area that a command is to have: the number of the area, and its place there."""

    area: int
    place: int


@dataclass(frozen=True)
class Layout:
    """What a combination means for one set; sizes are in bytes, clients are numbered, 0 is the primary."""

    values: Mapping[str, str]

    @property
    def number(self) -> int:
        """A number that other values do not have."""
        return crc32("\n".join(self.values.values()).encode())

    @property
    def is_scripted(self) -> bool:
        """Whether the server is told every step."""
        return self.values["server"] == "scripted"

    @property
    def older_joining(self) -> bool:
        """Whether secondaries join by the older form."""
        return self.values["joining"] == "OpenInSecondary"

    @property
    def features(self) -> int:
        """What the client says of its media."""
        return VDF_LIKE_TAPE if self.values["media"] == "tape" else 0

    @property
    def media(self) -> int:
        """What a server says of its side."""
        return VDF_READ_MEDIA if self.reads else VDF_WRITE_MEDIA

    @property
    def reads(self) -> bool:
        """Whether commands are Reads."""
        return self.values["direction"] == "read"

    @property
    def code(self) -> int:
        """The code of commands with data."""
        return VDC_READ if self.reads else VDC_WRITE

    @property
    def kind(self) -> Kind:
        """The statement with such commands."""
        return "restore" if self.reads else "backup"

    @property
    def before(self) -> str:
        """What went before."""
        return self.values["before"]

    @property
    def meanwhile(self) -> str:
        """What happens while commands are held."""
        return self.values["meanwhile"]

    @property
    def aborts(self) -> bool:
        """Whether that ends the set."""
        return self.meanwhile in ABORTS

    @property
    def mapping(self) -> str:
        """Who maps."""
        return self.values["mapping"]

    @property
    def threads(self) -> str:
        """Which threads make calls."""
        return self.values["threads"]

    @property
    def completing(self) -> str:
        """In which order commands are completed."""
        return self.values["completing"]

    @property
    def has_guests(self) -> bool:
        """Whether processes have a second object."""
        return self.values["objects"] == "2"

    @property
    def devices(self) -> int:
        """How many there are."""
        return int(self.values["devices"])

    @property
    def processes(self) -> int:
        """How many have the set open."""
        return int(self.values["processes"])

    @property
    def transfer(self) -> int:
        """The largest transfer."""
        return SIZES[self.values["transfer"]]

    @property
    def block(self) -> int:
        """The block size."""
        return int(self.values["block"])

    @property
    def alignment(self) -> int:
        """What the client asks for."""
        return 0 if self.values["alignment"] == "none" else int(self.values["alignment"])

    @property
    def zone(self) -> int:
        """The prefix zone."""
        return int(self.values["zone"])

    @property
    def size(self) -> int:
        """The size of a command."""
        blocks = self.transfer // self.block
        wanted = {"whole": blocks, "half": blocks // 2, "one block": 1, "odd": blocks - 1 - blocks % 2}
        return max(1, wanted[self.values["size"]]) * self.block

    @property
    def areas(self) -> int:
        """In so many areas the buffers of commands lie."""
        return int(self.values["areas"])

    @property
    def buffers(self) -> int:
        """So many an area has."""
        return int(self.values["buffers"])

    @property
    def set_aside(self) -> int:
        """So many buffers, that no command uses, lie before those of commands."""
        return -(-POOLS[self.values["pool"]] // self.transfer)

    @property
    def pool_size(self) -> int:
        """So many bytes that the whole pool is surely smaller."""
        count = self.set_aside + self.buffers * self.areas * (1 if self.is_scripted else self.devices)
        return 4 * (count + 2 * self.devices) * (self.transfer + self.zone + MAX_ALIGNMENT)

    @property
    def leaves_numbers(self) -> bool:
        """Whether some numbers are surely no handles."""
        return self.pool_size < HALF

    @property
    def closes_by_abort(self) -> bool:
        """Whether a set that goes on is aborted at last, since its devices are many, or one waits."""
        if not self.is_scripted:
            return self.meanwhile == "wait"
        return self.devices > FEW or (self.number % 2 == 0 and self.meanwhile != "wait")

    @property
    def keeps(self) -> bool:
        """Whether one of the commands that are held is completed only after that abort."""
        if self.at_once == 1 or self.completing == "held over":
            return False
        return self.may_end or (self.closes_by_abort and self.is_scripted)

    @property
    def is_asked(self) -> bool:
        """Whether the other methods are asked: before an abort only where something was refused before."""
        return not self.aborts or self.before != "nothing"

    @property
    def guests_close_last(self) -> bool:
        """Whether second objects close after the first ones, where the set was aborted."""
        return self.number % 2 == 1

    @property
    def can_be_asked_for(self) -> bool:
        """Whether who joins an aborted set finds it: one whose primary died may be gone, one that timed out as well."""
        return self.meanwhile not in ("primary dies", "time limit")

    @property
    def may_end(self) -> bool:
        """Whether the documents let what happens end the set, or not."""
        return self.meanwhile in ("exit", "kill", "holder killed")

    @property
    def fails(self) -> bool:
        """Whether some commands are completed with an error, after which their devices take no others."""
        if not self.is_scripted or self.completing == "held over":
            return False
        return self.at_once > self.failing or (self.at_once == 1 and self.number % 2 == 1 and not self.reads)

    @property
    def failing(self) -> int:
        """Which one of three that are held at once fails: not the one by which the bytes of a Read are judged."""
        return 2 if self.reads else 1

    @property
    def again(self) -> bool:
        """Whether buffers are freed and allocated again before they are used."""
        return self.values["use"] == "again"

    @property
    def closed(self) -> int | None:
        """The device that is closed before anything is shared."""
        return self.devices - 1 - (self.spare is not None) if self.before == "closed device" else None

    @property
    def waiting(self) -> int | None:
        """The device on which a GetCommand waits meanwhile, where nothing is sent to it."""
        if self.meanwhile != "wait" or not self.is_scripted:
            return None
        return self.devices - 1 - (self.closed is not None) - (self.spare is not None)

    @property
    def spare(self) -> int | None:
        """The device that is opened only after what happens meanwhile: the last one, where others are left."""
        wanted = 3 if self.completing == "held over" or self.values["fetching"] == "in turn" else 2
        wanted += (self.before == "closed device") + (self.meanwhile == "wait")
        return self.devices - 1 if self.is_scripted and self.devices >= wanted else None

    @property
    def opens_spare_first(self) -> bool:
        """Whether that device is opened before anything is refused."""
        return self.before == "nothing" and self.number % 2 == 1 and not self.may_end

    @property
    def serving(self) -> int:
        """So many devices carry commands: the first ones."""
        return self.devices - sum(one is not None for one in (self.closed, self.waiting, self.spare))

    @property
    def aside_is_alone(self) -> bool:
        """Whether the device that holds a command without data meanwhile has no other."""
        return self.at_once < self.serving

    @property
    def aside(self) -> int:
        """The device that holds a command without data meanwhile, where the server can be told to send one."""
        return self.at_once if self.aside_is_alone else self.at_once - 1

    @property
    def bystander(self) -> int | None:
        """The secondary without a device that leaves meanwhile."""
        return self.processes - 1 if self.meanwhile in LEAVING else None

    @property
    def joins_late(self) -> int | None:
        """The secondary that joins when all areas are there: one without a device, where another joins before."""
        return self.processes - 1 if self.processes > 2 and self.processes - 1 not in self.owners else None

    @property
    def holders_stay(self) -> bool:
        """Whether some who hold commands live on, whatever happens meanwhile."""
        holders = {self.owners[number % len(self.owners)] for number in range(self.at_once)}
        match self.meanwhile:
            case "primary dies":
                return holders != {0}
            case "holder killed":
                return len(holders) > 1
            case _:
                return True

    @property
    def owners(self) -> tuple[int, ...]:
        """Who opens each device, in turn."""
        last = self.processes - (self.bystander is not None)
        match self.values["fetching"]:
            case "primary":
                return (0,)
            case "secondary":
                return tuple(range(1, last))
            case _:
                return tuple(range(last))

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """The buffers that commands have, one after the other: of every area, and as many at once as there can be."""
        buffers = self.buffers if self.is_scripted else self.buffers * self.devices
        wanted = min(self.areas * buffers, max(self.areas, min(self.serving, MOST_HELD)))
        last = buffers - 1
        places = [0, last, *range(1, last)] if last else [0]
        order = (Use(area, places[turn]) for turn in count() for area in range(self.areas))
        return tuple(islice(order, wanted))

    @property
    def at_once(self) -> int:
        """So many commands are held at once."""
        return min(self.serving, MOST_HELD, len(self.uses))

    @property
    def rounds(self) -> list[tuple[Use, ...]]:
        """The buffers of the commands that are held at once, round after round; the last one is full."""
        ends = range(len(self.uses), 0, -self.at_once)
        rounds = [self.uses[max(0, end - self.at_once) : end] for end in ends][::-1]
        # What an abort overtakes is completed by nobody.
        return [*rounds, rounds[-1]] if self.aborts else rounds

    def scenario(self, server_time_out: int) -> Scenario:
        """Lay out the set; the time limit of the server is in milliseconds."""
        buffers = self.set_aside or self.buffers if self.is_scripted else self.buffers * self.devices
        return Scenario(
            devices=self.devices,
            owners=self.owners,
            secondaries=self.processes - 1,
            block_size=self.block,
            max_transfer_size=self.transfer,
            buffer_count=buffers,
            prefix_zone_size=self.zone,
            alignment=self.alignment,
            server_time_out=server_time_out if self.meanwhile == "time limit" else 0,
            instance=INSTANCE if self.values["instance"] == "named" else None,
            features=self.features,
            older_creating=self.values["creating"] == "Create",
            older_joining=self.older_joining,
        )
