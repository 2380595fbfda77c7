"""Methods that an object of the host has under the same name: passed on unchanged, with what becomes of the answer."""

from collections.abc import Callable
from typing import Any

from vdi_conformance.contract import Outcome
from vdi_conformance.host.child.dispatch import Methods
from vdi_conformance.host.child.parameters import Kind, Optional, name
from vdi_conformance.host.child.session import Session
from vdi_conformance.vdi.structures import VDConfig

Result = dict[str, Any]


def pass_on(
    methods: Methods[Session],
    method: str,
    answer: Callable[[Any], Result],
    /,
    **kinds: Kind | Optional,
) -> None:
    """Enter what an object of the host does itself: its method is given the parameters in the order of `kinds`."""
    receiver, _, own = method.partition(".")

    def handler(session: Session, **parameters: Any) -> Result:
        target = getattr(session, receiver)(parameters.pop(receiver))
        return answer(getattr(target, own)(*parameters.values()))

    methods.method(method, **{receiver: name}, **kinds)(handler)


def code_alone(code: int) -> Result:
    """Write the HRESULT of a method without an out value."""
    return {"code": code}


def nothing(_: None) -> Result:
    """Write that a method has returned."""
    return {}


def configuration(outcome: Outcome[VDConfig]) -> Result:
    """Write the HRESULT and a configuration."""
    code, found = outcome
    return {"code": code, "config": None if found is None else found._asdict()}


def address(outcome: Outcome[int]) -> Result:
    """Write the HRESULT and an address."""
    code, found = outcome
    return {"code": code, "address": hexadecimal(found)}


def hexadecimal(found: int | None) -> str | None:
    """Write an address alone."""
    return None if found is None else hex(found)
