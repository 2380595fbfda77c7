"""Small stories of a set, as its journal would tell them, for what made faults ask."""

from typing import Any

from vdi_conformance.vdi.commands import VDC_WRITE, VDF_WRITE_MEDIA
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig
from vdi_fixtures.made.facts import SetFacts, Situation

MIB = 1 << 20
PRIMARY, GUEST, FURTHER = "primary", "guest", "further"
CONFIG = VDConfig(
    device_count=1,
    features=VDF_WRITE_MEDIA,
    alignment=512,
    block_size=512,
    max_io_depth=4,
    max_transfer_size=65536,
)
BUFFER = 0x100000


class Story:
    """A set with a primary of process 1 and a secondary of process 2; `told` says what happens then."""

    def __init__(self, config: VDConfig = CONFIG, **creation: Any) -> None:
        self.facts = SetFacts()
        requested = config._replace(block_size=0, max_transfer_size=0, alignment=creation.pop("alignment", 512))
        created: dict[str, Any] = {
            "role": "primary",
            "form": "CreateEx",
            "instance": "",
            "after_aborted": False,
        } | creation
        self.told("opened_set", process=1, config=list(requested), **created)
        self.told("configuration", config=list(config))

    def told(self, kind: str, by: str = PRIMARY, thread: int = 1, **fields: Any) -> "Story":
        """Let something happen."""
        self.facts.take([{"kind": kind, "by": by, "thread": thread, **fields}])
        return self

    def joined(self, name: str = GUEST, process: int = 2, form: str = "OpenInSecondaryEx") -> "Story":
        """Let a secondary join."""
        return self.told("opened_set", name, 7, role="secondary", form=form, process=process, instance="")

    def fetched(self, by: str = PRIMARY, size: int = 65536, number: int = 0, **fields: Any) -> "Story":
        """Let somebody fetch a Write; its handle is its number."""
        place = {"record": 100 + number, "buffer": BUFFER + number * MIB}
        command: dict[str, Any] = {
            "command": VDC_WRITE,
            "size": size,
            "position": 0,
            "device": "d",
            "code": NOERROR,
            **place,
        }
        self.told("waits", by, device="d").told("fetched", by, **(command | fields))
        return self.told("handle", by, address=place["buffer"], code=NOERROR, handle=number)

    def mapped(self, by: str = GUEST, number: int = 0) -> "Story":
        """Let somebody map a buffer."""
        return self.told("maps", by, handle=number).told("mapped", by, handle=number, code=NOERROR)

    def completed(self, by: str = PRIMARY, number: int = 0) -> "Story":
        """Let somebody complete a command."""
        return self.told("completed", by, device="d", code=NOERROR, record=100 + number, bytes=1)

    def now(
        self,
        method: str = "get_buffer_handle",
        by: str = PRIMARY,
        number: int | None = 0,
        thread: int = 1,
        alive: tuple[int, ...] = (1, 7),
        callers: tuple[int, ...] = (1,),
        began: int | None = None,
    ) -> Situation:
        """Give the moment of a call, about the command of that number where there is one."""
        subject = self.facts.commands[number] if number is not None and self.facts.commands else None
        began = self.facts.now if began is None else began
        me = self.facts.members[by]
        return Situation(self.facts, me, method, thread, subject, began, frozenset(callers), frozenset(alive))
