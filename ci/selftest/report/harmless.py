"""What no text of others may do to whoever reads it."""

import re
from typing import Final

_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_COMMAND: Final = re.compile(r"^\s*::|\s::|::(?:error|warning|group)::|##\[|##vso\[|##teamcity\[", re.MULTILINE)


def require_harmless(text: str) -> None:
    """Fail where a text moves cursors, hides what it says, or is a command to a program that shows logs."""
    assert not (found := _FORBIDDEN.search(text)), (ascii(found[0]), text[max(0, found.start() - 60) :][:120])
    assert not (found := _COMMAND.search(text)), (found[0], text[max(0, found.start() - 60) :][:120])
