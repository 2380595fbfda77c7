"""Sessions at the server through mssql-python, Microsoft's driver, which is imported when the first one is opened."""

from __future__ import annotations

import importlib
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from vdi_conformance.adapters.tsql.outcomes import BatchReply, MessageRecord, in_order, lost, record_of
from vdi_conformance.adapters.tsql.refusal import NotRunnable
from vdi_conformance.adapters.tsql.settings import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DRIVER: Final = "mssql_python"
_BINDINGS: Final = "mssql_python.ddbc_bindings"
_NEEDED: Final = ("DDBCSQLExecDirect", "DDBCSQLGetAllDiagRecords", "DDBCSQLMoreResults")
_SECONDS_TO_CONNECT: Final = 5
"""The server is on the same computer."""
_SQL_NO_DATA: Final = 100
_SECRET: Final = re.compile(r"(?:pwd|password)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)", re.IGNORECASE)
_INSTALL: Final = "install it with: python -m pip install vdi-conformance[sqlserver]"


class SqlSession(Protocol):
    """A session in which batches run one after the other, each committed by itself."""

    def run(self, text: str) -> BatchReply:
        """Run a batch to its end."""
        ...

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        """Run a query and give its rows; a NotRunnable where it fails."""
        ...

    def close(self) -> None:
        """Leave the server."""
        ...


class Driver:
    """Opens sessions with one connection string; `load` imports a module."""

    def __init__(self, connection: str, load: Callable[[str], Any] = importlib.import_module) -> None:
        self._connection = connection
        self._load = load

    def connect(self) -> SqlSession:
        """Open a session; a NotRunnable where the driver or the server is missing."""
        driver, bindings = self._loaded()
        try:
            # A connection that went back to a pool would go on to own the name of a database that was dropped.
            driver.pooling(enabled=False)
            found = driver.connect(self._connection, autocommit=True, timeout=_SECONDS_TO_CONNECT)
        except driver.Error as error:
            told = f"no connection to the server of {CONNECTION}: {self._redacted(str(error))}"
            raise NotRunnable(f"{told}; look whether it runs and the connection string is right") from None
        except Exception as error:
            # What the driver says of a string that it cannot read quotes it, and that may be a password.
            raise NotRunnable(
                f"the connection string in {CONNECTION} cannot be read ({type(error).__name__}): write it as "
                f"Keyword=value pairs with semicolons between, and values with special characters in braces"
            ) from None
        return _MssqlSession(found, bindings, driver.Error, self._redacted)

    def _loaded(self) -> tuple[Any, Any]:
        try:
            driver, bindings = self._load(_DRIVER), self._load(_BINDINGS)
        except ModuleNotFoundError as error:
            raise NotRunnable(f"the driver mssql-python is needed and missing here ({error}): {_INSTALL}") from None
        except (ImportError, OSError, RuntimeError) as error:
            raise NotRunnable(f"the driver mssql-python cannot be loaded ({error}): {_INSTALL}") from None
        if missing := [name for name in _NEEDED if not hasattr(bindings, name)]:
            version = getattr(driver, "__version__", "of this version")
            raise NotRunnable(f"the driver mssql-python {version} has no {missing[0]}: {_INSTALL}")
        return driver, bindings

    def _redacted(self, text: str) -> str:
        for secret in _SECRET.findall(self._connection):
            bare = secret.strip()
            if bare.startswith("{"):
                bare = bare[1:-1]
            for form in (secret, bare, bare.replace("}}", "}")):
                text = text.replace(form, "***") if form else text
        return text


class _MssqlSession:
    """A session over one connection of the driver, used in one thread at a time."""

    def __init__(self, connection: Any, bindings: Any, errors: Any, redacted: Callable[[str], str]) -> None:
        self._connection = connection
        self._bindings = bindings
        self._errors = errors
        self._redacted = redacted

    def run(self, text: str) -> BatchReply:
        """Run a batch to its end, and collect the messages of every part of it.

        The driver's own execute raises the first message of an error alone and without its number, so that the
        calls beneath it are made here.
        """
        records: list[MessageRecord] = []
        failed = False
        with self._cursor() as cursor:
            for code in self._results(cursor.hstmt, text):
                told = [record_of(*found) for found in self._bindings.DDBCSQLGetAllDiagRecords(cursor.hstmt)]
                records += in_order(told)
                failed = failed or code < 0
                if code < 0 and (not told or lost(told)):
                    break
        return BatchReply(failed, tuple(records))

    def _results(self, handle: Any, text: str) -> Iterator[int]:
        """Give the return code of each part of a batch."""
        yield self._bindings.DDBCSQLExecDirect(handle, text)
        while True:
            code = self._bindings.DDBCSQLMoreResults(handle)
            yield code
            if code == _SQL_NO_DATA:
                return

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        """Run a query and give the rows of its first result."""
        with self._cursor() as cursor:
            cursor.execute(text)
            while cursor.description is None:
                if not cursor.nextset():
                    return []
            return [tuple(row) for row in cursor.fetchall()]

    def close(self) -> None:
        """Close the connection, which may be broken."""
        with suppress(self._errors):
            self._connection.close()

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        try:
            cursor = self._connection.cursor()
            try:
                yield cursor
            finally:
                with suppress(self._errors):
                    cursor.close()
        except self._errors as error:
            told = self._redacted(str(error))
            raise NotRunnable(f"the server did not answer: {told}; look for the cause there") from None
