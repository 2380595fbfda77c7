"""What no text of others may do to whoever reads it, and a text that tries."""

import re
from typing import Final

NASTY: Final = (
    "\n::error::all is well\r\n##[error]x ##vso[task.complete result=Succeeded] \x1b[2J\x1b]0;title\x07 \x9b31m "
    "\u202egnp.exe\u2066 \u200bwide\ufeff\u2028 \0 \x7f \ud800 [red]x[/] <b>x</b> ![x](http://x.example) | `"
)
_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_COMMAND: Final = re.compile(r"^\s*::|\s::|::(?:error|warning|group)::|##\[|##vso\[|##teamcity\[", re.MULTILINE)


def require_harmless(text: str) -> None:
    """Fail where a text moves cursors, hides what it says, or is a command to a program that shows logs."""
    assert not (found := _FORBIDDEN.search(text)), (ascii(found[0]), text[max(0, found.start() - 60) :][:120])
    assert not (found := _COMMAND.search(text)), (found[0], text[max(0, found.start() - 60) :][:120])
