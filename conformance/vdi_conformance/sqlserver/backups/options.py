"""What stands behind WITH: which options a statement may have, and what is made of each; pure."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.messages import message, refused
from vdi_conformance.sqlserver.option_table import known_options
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vdi_conformance.sqlserver.option_table import KnownOption
    from vdi_conformance.sqlserver.statements import Option
    from vdi_conformance.tds.answers import Message

_FORMATS: Final = ("%Y-%m-%dT%H:%M:%S", "%Y%m%d %H:%M:%S", "%Y%m%d", "%b %d, %Y %I:%M %p", "%m/%d/%Y %H:%M:%S")
_FIRST_YEAR: Final = 1753
"""No datetime is earlier."""
_LONGEST: Final = 260
"""So many characters have paths, and no other text of an option may have more."""
_MOST_STATS: Final = 100


class Options:
    """The options of one statement, whose first two words are `words`, such as RESTORE HEADERONLY.

    An option that cannot be is refused (155, 3031, 3032, 3250, 40514); `ignored` tells of those that change nothing.
    """

    def __init__(self, words: str, options: Iterable[Option]) -> None:
        self._values: dict[str, tuple[int | str | None, ...]] = {}
        self.moves: dict[str, str] = {}
        self.ignored: tuple[Message, ...] = ()
        for option in options:
            self._take(words, option)

    def _take(self, words: str, option: Option) -> None:
        name = option.name.upper()
        lines = [one for one in known_options().get(name, ()) if one.goes_with(words)]
        if name not in known_options():
            raise refused(155, option=name, statement=words.partition(" ")[0])
        if not lines:
            raise refused(3032, option=name, statement=words)
        fitting = next((one for one in lines if _fits(one.value, option)), None)
        if fitting is None:
            told = ", ".join(shown(str(one), _LONGEST) for one in option.values)
            raise refused(3250, text=f"{name} cannot be {told or 'without a value'}.")
        self._treat(fitting)
        for other in fitting.conflicts:
            if other in self._values:
                raise refused(3031, option=name, other=other)
        self._values[name] = option.values
        if name == "MOVE":
            logical, path = map(str, option.values)
            self.moves[logical.casefold()] = path

    def _treat(self, known: KnownOption) -> None:
        if known.treatment == "refused":
            raise refused(40514, option=known.option)
        if known.treatment == "password":
            raise refused(3279)
        if known.treatment == "ignored":
            self.ignored += (message(0, option=known.option),)

    def __contains__(self, name: str) -> bool:
        """Tell whether an option is there."""
        return name in self._values

    def number(self, name: str) -> int | None:
        """Give the number of an option."""
        value = next(iter(self._values.get(name, ())), None)
        return value if isinstance(value, int) else None

    def text(self, name: str) -> str | None:
        """Give the text of an option."""
        value = next(iter(self._values.get(name, ())), None)
        return value if isinstance(value, str) else None

    def time(self, name: str) -> datetime | None:
        """Give the time of an option, or refuse with 241 what is none."""
        text = self.text(name)
        return None if text is None else _time(text)

    @property
    def stats(self) -> int | None:
        """Every how many percent a message comes; None where none is wanted."""
        if "STATS" not in self:
            return None
        percent = self.number("STATS")
        return 10 if percent is None else min(max(percent, 1), _MOST_STATS)


def _fits(value: str, option: Option) -> bool:
    values = option.values
    if value == "number or none":
        return not values or (len(values) == 1 and isinstance(values[0], int))
    kinds: Mapping[str, tuple[type, ...]] = {"": (), "number": (int,), "text": (str,), "two texts": (str, str)}
    wanted = kinds[value]
    fitting = len(values) == len(wanted) and all(map(isinstance, values, wanted))
    return fitting and all(len(one) <= _LONGEST for one in values if isinstance(one, str))


def _time(text: str) -> datetime:
    found = next((when for when in _readings(text.strip()) if when.year >= _FIRST_YEAR), None)
    if found is None:
        raise refused(241, value=text)
    return found


def _readings(text: str) -> Iterator[datetime]:
    """Give what a text may mean."""
    with suppress(ValueError):
        yield datetime.fromisoformat(text).replace(tzinfo=None)
    for form in _FORMATS:
        with suppress(ValueError):
            yield datetime.strptime(text, form)
