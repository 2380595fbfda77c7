"""Which methods a host must have, and with what the others go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from vdi_conformance.contract import ServerLevel

Duty = Literal["always", "statement", "scripted", "native", "com", "convenience"]

SAID: Final[dict[Duty, str]] = {
    "always": "by every host of a client; memory also by one that is a server at the scripted level",
    "statement": 'where the capability server is not "none"',
    "scripted": 'where the capability server is "scripted"',
    "native": 'where the capability native_abi is not "none"',
    "com": 'where the capability native_abi is "com"',
    "convenience": "by none: without it the suite does with less, such as calls one by one",
}
"""Who needs the methods of each duty."""

_GROUPS: Final[dict[str, Duty]] = {
    "initialize": "always",
    "set": "always",
    "device": "always",
    "memory": "always",
    "statement": "statement",
    "server": "scripted",
    "native": "native",
    "calls": "convenience",
    "process": "convenience",
}
_SINGLE: Final[dict[str, Duty]] = {
    "device.serve": "convenience",
    "device.complete_concurrently": "convenience",
    "statement.server_version": "convenience",
    "native.create_instance": "com",
    "native.queue_apc": "com",
}


def group_of(method: str) -> str:
    """Give the first word of a method's name."""
    return method.partition(".")[0]


def duty_of(method: str) -> Duty:
    """Tell when a host must have a method of the protocol."""
    return _SINGLE.get(method) or _GROUPS[group_of(method)]


def lacking(known: Collection[str] | None, all_methods: Iterable[str]) -> list[str]:
    """Name the methods that every host of a client must have, and that one which knows these has not."""
    return [] if known is None else [one for one in all_methods if duty_of(one) == "always" and one not in known]


def lacking_as_server(known: Collection[str] | None, all_methods: Iterable[str], level: ServerLevel) -> list[str]:
    """Name the methods that a host which is nothing but a server of that level must have, and has not."""
    if known is None or level == "none":
        return []
    groups = ("statement",) if level == "statement" else ("statement", "server", "memory")
    needed = [one for one in all_methods if group_of(one) in groups and duty_of(one) != "convenience"]
    return [one for one in needed if one not in known]
