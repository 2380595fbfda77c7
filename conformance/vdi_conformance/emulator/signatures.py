"""What the arguments of each request must be, so that nothing else gets as far as a transition; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdi_conformance.vdi.structures import VD_CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Kind = Callable[[Any], bool]


class Malformed(Exception):
    """A request that no call can be made from; the text is one sentence."""


def _number(bits: int) -> Kind:
    return lambda value: isinstance(value, int) and 0 <= value < 1 << bits


def _name(value: Any) -> bool:
    return isinstance(value, str)


def _text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _config(value: Any) -> bool:
    """Tell whether it is null or the hexadecimal form of a VDConfig."""
    if value is None:
        return True
    try:
        return isinstance(value, str) and len(bytes.fromhex(value)) == VD_CONFIG.size
    except ValueError:
        return False


_U32: Final = _number(32)
_U64: Final = _number(64)
_FLAG: Final = _number(1)

SIGNATURES: Final[Mapping[str, tuple[Kind, ...]]] = {
    "create": (_text, _text, _config),
    "attach": (_text, _text),
    "get_configuration": (_U32, _FLAG),
    "open_device": (_text, _FLAG),
    "get_command": (_U32, _U64, _FLAG),
    "complete_command": (_U64, _U64, _U32, _U64, _U64),
    "signal_abort": (),
    "get_buffer_handle": (_U64, _U64, _FLAG),
    "map_buffer_handle": (_U32, _FLAG),
    "close": (),
    "watching": (_U32,),
    "record_changed": (_U64,),
    "buffer_touched": (_U64, _U64, _FLAG),
    "server_open": (_text, _text),
    "server_get_configuration": (),
    "server_name_device": (_name,),
    "server_begin_configuration": (_U32, _U32, _U32, _U32),
    "server_request_buffers": (_U32, _U32, _U64),
    "server_query_available_buffers": (_U32, _U32),
    "server_end_configuration": (),
    "server_area_made": (_U64, _FLAG),
    "server_open_device": (_name,),
    "server_allocate_buffer": (_U32, _U32),
    "server_free_buffer": (_U64, _U64, _U32),
    "server_send_command": (_name, _U64, _U32, _U32, _U64, _U64, _U64, _U64),
    "server_next_completion": (_U32,),
    "server_close_device": (_name,),
    "server_signal_abort": (),
    "server_close": (),
}
"""The arguments of each request, in the order in which they travel; sizes and codes have the widths of vdi.h."""


def check(name: str, fields: Sequence[Any]) -> None:
    """Malformed where the fields are no object's number and arguments; a name without a signature may have any."""
    if not fields or not _U64(fields[0]):
        raise Malformed(f"{_shown(name)} does not begin with the number of an object")
    kinds = SIGNATURES.get(name)
    if kinds is None:
        return
    if len(fields) != 1 + len(kinds):
        raise Malformed(f"{name} has {len(kinds)} arguments, not {len(fields) - 1}")
    for place, (kind, value) in enumerate(zip(kinds, fields[1:], strict=True), start=1):
        if not kind(value):
            raise Malformed(f"argument {place} of {name} is not what it must be")


def unknown(name: str) -> Malformed:
    """Say that an object has no such request."""
    return Malformed(f"{_shown(name)} is no request of this object")


def _shown(name: str) -> str:
    """Show a name that may be anything, of which the first letters are enough."""
    return repr(name[:40])
