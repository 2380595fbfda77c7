"""The memory of the host process: each method of the `memory` group."""

from typing import Any

from vdi_conformance.host.child import memory
from vdi_conformance.host.child.dispatch import Methods
from vdi_conformance.host.child.parameters import Optional, hex_bytes, nullable, seed, size, text, u64
from vdi_conformance.host.child.session import Session

METHODS = Methods[Session]()
_method = METHODS.method
_Result = dict[str, Any]


@_method("memory.allocate", size=size(1, 1 << 30))
def _allocate(_: Session, size: int) -> _Result:
    return {"address": hex(memory.allocate(size))}


@_method("memory.reserve", size=size(1), address=Optional(nullable(u64), None))
def _reserve(_: Session, size: int, address: int | None) -> _Result:
    return {"address": hex(memory.reserve(size, address or 0))}


@_method("memory.read", address=u64, size=size(0, 65536))
def _read(_: Session, address: int, size: int) -> _Result:
    return {"data": memory.read(address, size).hex()}


@_method("memory.write", address=u64, data=hex_bytes(65536))
def _write(_: Session, address: int, data: bytes) -> _Result:
    memory.write(address, data)
    return {}


@_method("memory.fill", address=u64, size=size(0), seed=seed)
def _fill(_: Session, address: int, size: int, seed: int) -> _Result:
    memory.fill(address, size, seed)
    return {}


@_method("memory.digest", address=u64, size=size(0))
def _digest(_: Session, address: int, size: int) -> _Result:
    return {"sha256": memory.digest(address, size)}


@_method("memory.save", address=u64, size=size(0), path=text, offset=size(0))
def _save(_: Session, address: int, size: int, path: str, offset: int) -> _Result:
    return {"sha256": memory.save(address, size, path, offset)}


@_method("memory.load", address=u64, size=size(0), path=text, offset=size(0))
def _load(_: Session, address: int, size: int, path: str, offset: int) -> _Result:
    return {"sha256": memory.load(address, size, path, offset)}


@_method("memory.outside_addresses")
def _outside_addresses(_: Session) -> _Result:
    return {kind: hex(address) for kind, address in memory.outside_addresses().items()}
