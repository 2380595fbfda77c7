"""The compiled library behind an adapter: each method of the `abi` group."""

from typing import get_args

from vdi_conformance.contract import Apartment, Argument
from vdi_conformance.host.child.apc import runs_on
from vdi_conformance.host.child.dispatch import Methods
from vdi_conformance.host.child.parameters import Optional, arguments, name, one_of, u32, u64
from vdi_conformance.host.child.passing_on import Result, address
from vdi_conformance.host.child.session import Session

METHODS = Methods[Session]()
_method = METHODS.method


@_method("native.symbol", name=name)
def _symbol(session: Session, name: str) -> Result:
    found = session.abi().symbol(name)
    return {"address": None if found is None else hex(found)}


@_method(
    "native.create_instance",
    clsid=name,
    iid=name,
    apartment=Optional(one_of(*get_args(Apartment)), "multithreaded"),
)
def _create_instance(session: Session, clsid: str, iid: str, apartment: Apartment) -> Result:
    return address(session.abi().create_instance(clsid, iid, apartment))


@_method("native.queue_apc", to=name, patience=u32)
def _queue_apc(session: Session, to: str, patience: int) -> Result:
    session.abi()
    return {"ran": runs_on(to, patience / 1000)}


@_method("native.call", function=u64, arguments=arguments(8))
def _call(session: Session, function: int, arguments: tuple[Argument, ...]) -> Result:
    return {"code": session.abi().call(function, arguments)}
