"""BACKUP and RESTORE, and with them every statement."""

from __future__ import annotations

from typing import Any, Final, cast

from vdi_conformance.sqlserver.language import instructions as does
from vdi_conformance.sqlserver.language import tree
from vdi_conformance.sqlserver.language.building.definitions import DefinitionBuilder
from vdi_conformance.sqlserver.language.faults import fault
from vdi_conformance.sqlserver.language.tokens import name_of

_DEVICES: Final = {"VIRTUAL_DEVICE": "virtual", "DISK": "disk", "URL": "url", "TAPE": "tape"}


class Builder(DefinitionBuilder):
    """BACKUP and RESTORE, and all others."""

    def database(self, parts: list[Any]) -> str | tree.Variable:
        """The database of BACKUP or RESTORE."""
        word = parts[0]
        return tree.Variable(str(word), word.line) if word.type == "VARIABLE" else name_of(word)

    def device(self, parts: list[Any]) -> does.Device:
        """A device with its kind."""
        word, _, name = parts
        kind = _DEVICES.get(str(word).upper())
        if kind is None:
            raise fault(102, str(word), line=word.line)
        return does.Device(cast("Any", kind), name, word.line)

    def logical_device(self, parts: list[Any]) -> does.Device:
        """A device by the name that the server has for it."""
        word = parts[0]
        name: Any = self.variable(parts) if word.type == "VARIABLE" else self.bare_word(parts)
        return does.Device("logical", name, word.line)

    def devices(self, parts: list[Any]) -> tuple[does.Device, ...]:
        """Devices."""
        return tuple(parts)

    def option_word(self, parts: list[Any]) -> Any:
        """The name of an option."""
        return parts[0]

    def option(self, parts: list[Any]) -> does.WithOption:
        """An option with its values."""
        word, *values = (part for part in parts if getattr(part, "type", "") != "EQ")
        return does.WithOption(name_of(word).upper(), tuple(values), word.line)

    def option_in_parentheses(self, parts: list[Any]) -> does.WithOption:
        """An option with details, which are not told."""
        return does.WithOption(name_of(parts[0]).upper(), (), parts[0].line)

    def options(self, parts: list[Any]) -> tuple[does.WithOption, ...]:
        """Options."""
        return tuple(parts)

    def backup_database(self, parts: list[Any]) -> does.Backup:
        """BACKUP DATABASE."""
        *_, database, devices, options = parts
        return does.Backup(parts[0].line, "database", database, devices, options or ())

    def backup_log(self, parts: list[Any]) -> does.Backup:
        """BACKUP LOG."""
        return self.backup_database(parts)._replace(subject="log")

    def restore_database(self, parts: list[Any]) -> does.Restore:
        """RESTORE DATABASE."""
        *_, database, devices, options = parts
        return does.Restore(parts[0].line, "database", database, devices or (), options or ())

    def restore_log(self, parts: list[Any]) -> does.Restore:
        """RESTORE LOG."""
        return self.restore_database(parts)._replace(subject="log")

    def restore_other(self, parts: list[Any]) -> does.Restore:
        """RESTORE of what a medium says of itself."""
        word, subject, devices, options = parts
        return does.Restore(word.line, cast("Any", str(subject).lower()), None, devices, options or ())
