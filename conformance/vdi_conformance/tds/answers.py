"""What a SQL Server answers, as values: messages, rows and the ends of statements; and what it is asked with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from decimal import Decimal
    from uuid import UUID

    Value = None | bool | int | float | Decimal | str | bytes | datetime | UUID

FIRST_ERROR: Final = 11
"""The lowest severity of an error; what is below informs."""
FATAL: Final = 20
"""The lowest severity of an error that ends the connection."""

TypeName = Literal[
    "bit",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "numeric",
    "float",
    "datetime",
    "uniqueidentifier",
    "char",
    "varchar",
    "nchar",
    "nvarchar",
    "binary",
    "varbinary",
]


class SqlType(NamedTuple):
    """A type: `length` in characters (bytes of binary types; 0 is max), digits of numbers by precision and scale."""

    name: TypeName
    length: int = 0
    precision: int = 0
    scale: int = 0


class Message(NamedTuple):
    """A message to the client; from severity 11 on it is an error. `line` counts from 1 within the batch."""

    number: int
    text: str
    severity: int = 0
    state: int = 1
    line: int = 1
    procedure: str = ""

    @property
    def is_error(self) -> bool:
        """Whether it tells of a failure."""
        return self.severity >= FIRST_ERROR


class Column(NamedTuple):
    """A column of rows, which may have no name."""

    name: str
    type: SqlType
    nullable: bool = True


class Columns(NamedTuple):
    """Rows begin that have these columns."""

    columns: tuple[Column, ...]


class Row(NamedTuple):
    """One row of the columns that were told last."""

    values: tuple[Value, ...]


class StatementEnd(NamedTuple):
    """A statement has ended; `rows` is how many it is about (None: it is about none, or SET NOCOUNT is on)."""

    rows: int | None = None
    failed: bool = False


class DatabaseChanged(NamedTuple):
    """The session has gone from one database to another; the message of that, 5701, is given by itself."""

    name: str
    before: str


class TransactionBegun(NamedTuple):
    """A statement has begun a transaction of this number; one that `Session.begin` begins is not told of."""

    number: int


class TransactionEnded(NamedTuple):
    """A statement has ended the transaction of this number, whoever began it."""

    number: int
    is_committed: bool


class ReturnStatus(NamedTuple):
    """A procedure has returned this number; it comes before the end of its statement."""

    value: int


class OutputValue(NamedTuple):
    """The value of a parameter that a procedure gives back; it comes after ReturnStatus."""

    name: str
    type: SqlType
    value: Value


Change = DatabaseChanged | TransactionBegun | TransactionEnded
Answer = Message | Columns | Row | StatementEnd | Change | ReturnStatus | OutputValue


class Parameter(NamedTuple):
    """A parameter of a procedure; its name begins with @, and is empty where it goes by its place."""

    name: str
    type: SqlType
    value: Value
    is_output: bool = False


class Login(NamedTuple):
    """Who wants a session; `database` is empty for the usual one of the login."""

    user: str
    password: str
    database: str = ""
    application: str = ""
    host: str = ""


class LoginRefused(Exception):
    """There is no session for this login, such as by message 18456 or 4060."""

    def __init__(self, *messages: Message) -> None:
        super().__init__(messages[-1].text)
        self.messages = messages


class Session(Protocol):
    """One session. Answers come while the statements run; one request runs at a time, and each is read to its end."""

    @property
    def database(self) -> str:
        """The name of the database that the session is in."""
        ...

    def batch(self, text: str, parameters: Sequence[Parameter] = ()) -> Iterator[Answer]:
        """Run a batch, `parameters` being variables that it may use (sp_executesql)."""
        ...

    def call(self, procedure: str, parameters: Sequence[Parameter]) -> Iterator[Answer]:
        """Run a procedure of the server's; those that drivers prepare statements with are none of its business."""
        ...

    def begin(self) -> int:
        """Begin a transaction and give its number, which is not 0."""
        ...

    def commit(self) -> None:
        """End the transaction that was begun."""
        ...

    def roll_back(self) -> None:
        """End the transaction that was begun, and undo it as far as this server can."""
        ...

    def cancel(self) -> None:
        """Let the request that runs end as soon as it can; called from another thread, at any time.

        It is about what `batch` or `call` was asked for last, even where none of its answers has been read, and is
        forgotten when the next one is asked for. It does not wait for the end.
        """
        ...

    def reset(self) -> None:
        """Go back to what the session was after its login."""
        ...

    def close(self) -> None:
        """End the session, and what it holds."""
        ...


class SqlService(Protocol):
    """Whom sessions are asked of."""

    @property
    def server_name(self) -> str:
        """What @@SERVERNAME gives, told in every message."""
        ...

    @property
    def version(self) -> tuple[int, int, int]:
        """The version of the server: major, minor, build."""
        ...

    def log_in(self, login: Login) -> Session:
        """Give a session, or raise LoginRefused."""
        ...
