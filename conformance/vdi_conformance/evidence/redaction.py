"""Evidence for others: what names people, machines and places is replaced, the same name by the same word; pure."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import NOT_TESTED, CheckRecord, Footer, Header, Verdict

KEPT: Final = frozenset({"id", "version", "server_version", "python", "tools", "plugins", "sha256", "catalogue_sha256"})
"""What names nobody by its nature, although a version may look like an address."""
COMMON: Final = frozenset({"root", "runner", "user", "admin", "administrator", "system", "build", "localhost"})
"""Accounts and machines of these names are nobody's in particular."""
SHORTEST: Final = 2
_DIRECTORY: Final = r"[^\\/:*?\"'<>|\r\n\t]+"
_PLACES: Final = re.compile(
    rf"(?<![\w])[A-Za-z]:[\\/]{{1,4}}(?:{_DIRECTORY}[\\/]{{1,4}})*"
    rf"|\\{{2,4}}[\w.$-]+\\{{1,4}}(?:{_DIRECTORY}\\{{1,4}})*"
    r"|(?:(?<=file://)|(?<![\w./<>-]))/(?:[\w.+@~%-]+/)+"
)
"""The directories of absolute paths; what comes last stays, since it names a file."""
_HOMES: Final = re.compile(r"(?:/home/|/Users/|[A-Za-z]:[\\/]{1,4}Users[\\/]{1,4})([^\\/\s\"'<>:]+)")
# No text is looked through again and again: a name begins where its letters do, and is no longer than one can be.
_PATTERNS: Final[Mapping[str, re.Pattern[str]]] = {
    "secret": re.compile(
        r"(?i)(?P<before>\b(?:server|data source|address|uid|user id|pwd|password)\s*=\s*)(?P<name>[^;\s'\"]+)"
    ),
    "user": re.compile(r"(?i)(?P<before>\b(?:user|login|account|principal)\s+')(?P<name>[^'\r\n]+)(?=')"),
    "address": re.compile(
        r"(?P<name>(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+|\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}\b)"
    ),
    "machine": re.compile(
        r"(?i)(?P<name>\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,30}\.(?:local|internal|intranet|corp|lan|localdomain)\b)"
    ),
}
R = TypeVar("R", Header, CheckRecord, Footer)


class Redactor:
    """Replaces names: directories, people, machines, addresses, secrets, and the words that it is given."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        """`words` are names that are known beforehand, by their kind."""
        self._names: dict[tuple[str, str], str] = {}
        self._counts = Counter[str]()
        self._words: dict[str, str] = {}
        for kind, known in words.items():
            self.learn(kind, known)

    @property
    def replaced(self) -> Mapping[str, int]:
        """How many different names of each kind were replaced."""
        return dict(self._counts)

    def learn(self, kind: str, words: Iterable[str]) -> None:
        """Take further names, wherever they stand; very short and very common ones are nobody's."""
        for word in words:
            if len(word) >= SHORTEST and word.lower() not in COMMON:
                self._words.setdefault(word.lower(), kind)

    def text(self, text: str) -> str:
        """Give a text without names."""
        text = self._place(text)
        for kind, pattern in _PATTERNS.items():
            text = pattern.sub(self._by(kind), text)
        if self._words:
            known = "|".join(re.escape(word) for word in sorted(self._words, key=len, reverse=True))
            pattern = re.compile(rf"(?i)(?<![\w<])(?:{known})(?![\w>])")
            text = pattern.sub(lambda found: self._name(self._words[found[0].lower()], found[0].lower()), text)
        return text

    def plain(self, value: Any, key: str = "") -> Any:
        """Give plain data without names."""
        if key in KEPT:
            return value
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self._place(name): self.plain(one, name) for name, one in value.items()}
            case list() | tuple():
                return [self.plain(one, key) for one in value]
        return value

    def record(self, record: R) -> R:
        """Give a record without names."""
        return msgspec.convert(self.plain(msgspec.to_builtins(record)), type(record))

    def _place(self, text: str) -> str:
        return _PLACES.sub(lambda found: f"{self._name('path', found[0])}/", text)

    def _by(self, kind: str) -> Callable[[re.Match[str]], str]:
        def replaced(found: re.Match[str]) -> str:
            before = found.groupdict().get("before") or ""
            return before + self._name(kind, found["name"])

        return replaced

    def _name(self, kind: str, name: str) -> str:
        if name.startswith("<") and name.endswith(">"):
            return name
        if (kind, name) not in self._names:
            self._counts[kind] += 1
            self._names[kind, name] = f"<{kind} {self._counts[kind]}>"
        return self._names[kind, name]


def homes(value: Any) -> set[str]:
    """Find the people whose home directories plain data names."""
    match value:
        case str():
            return {*_HOMES.findall(value)}
        case dict():
            return {name for one in value.values() for name in homes(one)}
        case list() | tuple():
            return {name for one in value for name in homes(one)}
    return set()


def redacted(run: Evidence, redactor: Redactor) -> Evidence:
    """Give a run without names, and as if it had been made without a baseline, which is its owner's business."""
    for record in (run.header, *run.checks, run.footer):
        redactor.learn("user", sorted(homes(msgspec.to_builtins(record))))
    redactor.learn("machine", [machine.name for machine in run.header.machines])
    header = msgspec.structs.replace(run.header, baseline_sha256=None)
    footer = msgspec.structs.replace(run.footer, complaints=[])
    checks = [msgspec.structs.replace(check, known=None, verdict=_unlisted(check)) for check in run.checks]
    return Evidence(redactor.record(header), tuple(map(redactor.record, checks)), redactor.record(footer))


def _unlisted(check: CheckRecord) -> Verdict:
    if check.verdict != "known failure":
        return check.verdict
    return NOT_TESTED if check.cause is not None and check.cause.kind == NOT_TESTED else "failed"
