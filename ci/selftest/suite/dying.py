"""Client libraries that end the process of whoever calls them, each on one kind of call."""

import os
from threading import Thread

from vdi_conformance.contract import Command, Outcome
from vdi_conformance.vdi.hresult import NOERROR
from vdi_conformance.vdi.structures import VDConfig
from vdi_fixtures.wrapping import WrappedDevice, WrappedSet, Wrapping


class _LongNames(WrappedSet):
    def create(self, name: str | None, config: VDConfig | None) -> int:
        if name is not None and len(name) > 100:
            os.abort()
        return self.inner.create(name, config)


class LongNames(Wrapping):
    """Asserts that names are short (NAM-13 is a MAY)."""

    set = _LongNames


class _OddAlignments(WrappedSet):
    def create_ex(self, instance: str | None, name: str | None, config: VDConfig | None) -> int:
        if config is not None and config.alignment & (config.alignment - 1):
            os.abort()
        return self.inner.create_ex(instance, name, config)


class OddAlignments(Wrapping):
    """Asserts that an alignment is a power of two (CRE-06 is a SHOULD)."""

    set = _OddAlignments


class _Leaving(WrappedSet):
    def close(self) -> int:
        code = self.inner.close()
        if code == NOERROR:
            Thread(target=os.abort).start()
        return code


class Leaving(Wrapping):
    """Goes down by itself once a Close has been answered (CLS-20 is a SHOULD)."""

    set = _Leaving


class _NullDevice(WrappedDevice):
    def get_command(self, timeout: int, null_out: bool = False) -> Outcome[Command]:
        if null_out:
            os.abort()
        return self.inner.get_command(timeout, null_out)


class _NullSet(WrappedSet):
    device = _NullDevice

    def map_buffer_handle(self, handle: int, null_out: bool = False) -> Outcome[int]:
        if null_out:
            os.abort()
        return self.inner.map_buffer_handle(handle, null_out)


class NullPointers(Wrapping):
    """Writes through null pointers (CMD-19 and MBH-28 are SHOULDs)."""

    set = _NullSet
