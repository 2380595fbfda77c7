"""Versions of what others build on, the contract and the host protocol: two numbers, major.minor.

A minor version adds what nobody has to know: an optional field, a method that no host must have. Whoever was written
for an older minor of the same major goes on working, and whoever was written for a newer one is accepted. A major
version changes what something means, or takes it away: another major is refused, in one sentence.
"""

import re
from typing import Any, Final, NamedTuple

PATTERN: Final = r"^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$"
_written = re.compile(PATTERN, re.ASCII).fullmatch
_LARGEST: Final = 999_999


class Version(NamedTuple):
    """A version such as 2.0; versions are compared as pairs of numbers."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def goes_with(self, other: "Version") -> bool:
        """Tell whether whoever has this version and whoever has the other one understand each other."""
        return self.major == other.major


def read_version(said: Any) -> Version | None:
    """Read text such as "2.0", or a number alone as a major without a minor; None where it is no version."""
    if isinstance(said, str):
        found = _written(said)
        return Version(int(found[1]), int(found[2])) if found else None
    is_number = isinstance(said, int) and not isinstance(said, bool)
    return Version(said, 0) if is_number and 0 <= said <= _LARGEST else None
