"""Sequences that are drawn: steps that the reference model has for its clients, as walks take them. Pure."""

from __future__ import annotations

from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vdi_conformance.differences.modelled import Modelled
from vdi_conformance.differences.seen import CODE
from vdi_conformance.differences.sequences import Sequence
from vdi_conformance.differences.steps import SERVER, Step
from vdi_conformance.model.steps import Step as ModelStep
from vdi_conformance.model.steps import options, usual, woken
from vdi_conformance.vdi.hresult import VD_E_ABORT, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CLIENTS: Final = 3
USUAL: Final = "go_on"
WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        USUAL: 60,
        "create": 2,
        "join": 4,
        "get_configuration": 3,
        "open_device": 5,
        "get_command": 6,
        "wait": 2,
        "complete_command": 6,
        "signal_abort": 1,
        "close": 1,
        "get_buffer_handle": 5,
        "map_buffer_handle": 5,
        "send": 6,
        "close_device": 2,
        "server_abort": 1,
        "server_close": 1,
    }
)
"""How often each act is chosen; the first is what usually comes next."""
_COMMANDS: Final = {"Write": "VDC_WRITE", "Read": "VDC_READ", "Flush": "VDC_FLUSH"}
_RECORDS: Final = {
    "held 0": "held",
    "held 1": "second",
    "private": "private",
    "null": "null",
    "another": "another",
    "stale": "past",
}


def drawn(seed: int, number: int, length: int) -> Iterator[Sequence]:
    """Draw so many sequences of so many steps; the seed decides which."""
    for place in range(number):
        yield Sequence(f"drawn sequence {place + 1}", tuple(_draw(Random(f"{seed}-{place}"), length)))


def _draw(random: Random, length: int) -> Iterator[Step]:
    modelled, steps = Modelled(CLIENTS), 0
    while steps < length:
        acts = [USUAL, *(act for act in WEIGHTS if act != USUAL and options(modelled.state, act))]
        (act,) = random.choices(acts, [WEIGHTS[one] for one in acts])
        found = usual(modelled.state) if act == USUAL else options(modelled.state, act)
        if not found:
            return
        for step in _written(modelled, random.choice(found)):
            steps += 1
            yield step
            _assume(modelled, step)
        for step in [*_woken(modelled)]:
            steps += 1
            yield step
            _assume(modelled, step)


def _woken(modelled: Modelled) -> Iterator[Step]:
    """Let whoever waits for what has come be woken."""
    for step in woken(modelled.state):
        yield Step(step.by, "end_wait", (("device", str(step.what)), ("thread", "waits")))


def _assume(modelled: Modelled, step: Step) -> None:
    """Take what usually comes for what has come."""
    if step.act == "notice":
        modelled.follow(step, {CODE: name_of(VD_E_ABORT)})
        return
    permits = modelled.permits(step)
    outcomes = () if permits is None else permits.outcomes
    # Emulations tell of an abort at once, where the model leaves time.
    codes = [one.code for one in outcomes if one.code is not None]
    code = VD_E_ABORT if VD_E_ABORT in codes else codes[0] if codes else 0
    modelled.follow(step, {CODE: name_of(code)})


def _written(modelled: Modelled, step: ModelStep) -> list[Step]:
    """Write a step of the model as one of a sequence; nothing where there is none."""
    wanted = _WRITTEN.get(step.act)
    if wanted is None:
        modelled.pass_over(step)
        return []
    return wanted(modelled, step)


def _by(step: ModelStep, act: str, **given: object) -> list[Step]:
    return [Step(step.by, act, tuple((name, str(value)) for name, value in given.items() if value != ""))]


def _create(modelled: Modelled, step: ModelStep) -> list[Step]:
    if step.kind == "taken":
        return _by(step, "create", set=_label(modelled, step.what))
    return _by(step, "create", set=len(modelled.state.sets) + 1, devices=step.what)


def _label(modelled: Modelled, back: int) -> int:
    return len(modelled.state.sets) - back


def _join(modelled: Modelled, step: ModelStep) -> list[Step]:
    if step.kind == "set":
        return _by(step, "join", set=_label(modelled, step.what))
    return _by(step, "join", name="unknown")


def _open_device(_modelled: Modelled, step: ModelStep) -> list[Step]:
    return (
        _by(step, "open_device", device=step.what)
        if step.kind == "device"
        else _by(step, "open_device", name="unknown")
    )


def _complete(modelled: Modelled, step: ModelStep) -> list[Step]:
    what = _RECORDS.get(step.kind)
    if what is None:
        return []
    completing = _by(step, "complete", device=step.what, what=what, bytes="half" if step.what % 2 else "")
    of = modelled.state.clients[step.by - 1].of
    if what != "held" or of is None or not of.sound:
        return completing
    return [*completing, Step(SERVER, "completion", (("set", str(of.index + 1)), ("wait", "100")))]


def _get_buffer_handle(_modelled: Modelled, step: ModelStep) -> list[Step]:
    of = {"live 0": "held", "live 1": "second", "past": "past", "stray": "stack"}.get(step.kind)
    return [] if of is None else _by(step, "get_buffer_handle", device=step.what, of=of)


def _map_buffer_handle(_modelled: Modelled, step: ModelStep) -> list[Step]:
    kind = step.kind.partition(" ")[0]
    return _by(step, "map_buffer_handle", handle={"live": "last"}.get(kind, kind))


def _of_server(modelled: Modelled, act: str, **given: object) -> list[Step]:
    of = modelled.state.serving
    label = "" if of is None else str(of.index + 1)
    pairs = {"set": label} | {name: str(value) for name, value in given.items()}
    return [Step(SERVER, act, tuple((name, value) for name, value in pairs.items() if value))]


_WRITTEN: Final[Mapping[str, Callable[[Modelled, ModelStep], list[Step]]]] = MappingProxyType(
    {
        "create": _create,
        "join": _join,
        "get_configuration": lambda _, step: _by(step, "get_configuration", timeout=0),
        "open_device": _open_device,
        "get_command": lambda _, step: _by(step, "get_command", device=step.what, timeout=0),
        "wait": lambda _, step: _by(step, "begin_wait", device=step.what, thread="waits"),
        "complete_command": _complete,
        "signal_abort": lambda _, step: _by(step, "signal_abort"),
        "close": lambda _, step: _by(step, "close"),
        "get_buffer_handle": _get_buffer_handle,
        "map_buffer_handle": _map_buffer_handle,
        "notice": lambda _, step: _by(step, "notice"),
        "server_open": lambda modelled, step: [Step(SERVER, "open", (("set", str(_label(modelled, step.what))),))],
        "server_configure": lambda modelled, step: (
            _of_server(modelled, "begin")
            if step.kind == "begin"
            else [*_of_server(modelled, "request"), *_of_server(modelled, "end")]
        ),
        "server_open_device": lambda modelled, step: _of_server(modelled, "open_server_device", device=step.what),
        "send": lambda modelled, step: _of_server(modelled, "send", device=step.what, code=_COMMANDS[step.kind]),
        "close_device": lambda modelled, step: _of_server(modelled, "close_device", device=step.what),
        "server_abort": lambda modelled, _: _of_server(modelled, "abort"),
        "server_close": lambda modelled, _: _of_server(modelled, "close_server"),
    }
)
