"""Steps in words, as the calls that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdi_conformance.vdi.methods import METHODS, snake_case

if TYPE_CHECKING:
    from vdi_conformance.model.steps import Step

CALLED: Final = {snake_case(name): name for name in METHODS} | {
    "create": "CreateEx",
    "join": "OpenInSecondaryEx",
    "wait": "GetCommand",
    "be_woken": "GetCommand",
}
"""What clients call in a step."""
_OTHERS: Final = {
    "notice": "waits for the abort to show",
    "kill": "is killed",
    "start": "is started anew",
    "server_open": "Open",
    "server_configure": "",
    "server_open_device": "OpenDevice",
    "send": "SendCommand",
    "close_device": "CloseDevice",
    "server_abort": "SignalAbort",
    "server_close": "Close",
    "server_kill": "is killed",
    "anew": "everything was closed",
    "move": "moves the bytes of every buffer through its mapping",
}
_ON_A_DEVICE: Final = (
    "get_command",
    "wait",
    "be_woken",
    "complete_command",
    "server_open_device",
    "send",
    "close_device",
)
_KINDS: Final = {
    "begin": "BeginConfiguration",
    "end": "EndConfiguration",
    "taken": "under a name that is taken",
    "bad": "with no device",
    "set": "",
    "missing": "of a set that there is not",
    "unknown": "by a name that the set does not have",
    "null": "of no command",
    "private": "of a record of its own",
    "another": "of a command of another device",
    "stale": "of a command that was completed",
    "stray": "of what never was a buffer",
    "past": "of what was a buffer's",
}
_NUMBERED: Final = {"held": "of command {} in its hands", "live": "of command {} of device {}"}


def described(step: Step) -> str:
    """Say who does what."""
    who = f"client {step.by}" if step.by else "server"
    if step.act == "wait":
        return f"{who}: GetCommand on device {step.what} begins to wait"
    kind, _, place = step.kind.partition(" ")
    words = [CALLED.get(step.act) or _OTHERS[step.act], *_detail(step, kind, place)]
    return f"{who}: {' '.join(filter(None, words))}"


def _detail(step: Step, kind: str, place: str) -> list[str]:
    number = int(place or 0) + 1
    if kind in _NUMBERED:
        words = [_NUMBERED[kind].format(number, step.what)]
    elif step.act == "create" and kind == "fresh":
        words = [f"with {step.what} device{'s' * (step.what > 1)}"]
    elif kind == "device":
        words = [f"of device {step.what}"]
    else:
        words = [_KINDS.get(kind, f"of a {kind}") if kind else ""]
    return [*words, f"on device {step.what}"] if step.act in _ON_A_DEVICE else words
