"""A session over an instance in memory, and what came of a batch in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from selftest.sqlserver.fake_instance import FakeInstance
from vdi_conformance.sqlserver.service import EmulatedSqlService
from vdi_conformance.tds.answers import Columns, Login, Message, Row, StatementEnd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vdi_conformance.tds.answers import Answer, Parameter, Session, Value

SA = Login("sa", "right", application="selftest", host="here")


@dataclass
class Outcome:
    """What a batch answered."""

    answers: list[Answer] = field(default_factory=list)

    @property
    def results(self) -> list[list[tuple[Value, ...]]]:
        """The rows of each result."""
        found: list[list[tuple[Value, ...]]] = []
        for answer in self.answers:
            if isinstance(answer, Columns):
                found.append([])
            elif isinstance(answer, Row):
                found[-1].append(answer.values)
        return found

    @property
    def rows(self) -> list[tuple[Value, ...]]:
        """The rows of the only result."""
        (found,) = self.results
        return found

    @property
    def value(self) -> Value:
        """The only value of the only row."""
        ((found,),) = self.rows
        return found

    @property
    def columns(self) -> list[str]:
        """The names of the columns of the first result."""
        return [column.name for answer in self.answers if isinstance(answer, Columns) for column in answer.columns]

    @property
    def messages(self) -> list[Message]:
        """Every message."""
        return [answer for answer in self.answers if isinstance(answer, Message)]

    @property
    def errors(self) -> list[tuple[int, int]]:
        """The number and the line of each error."""
        return [(message.number, message.line) for message in self.messages if message.is_error]

    @property
    def printed(self) -> list[str]:
        """The texts of PRINT."""
        return [message.text for message in self.messages if message.number == 0]

    @property
    def counts(self) -> list[int | None]:
        """How many rows each statement was about."""
        return [answer.rows for answer in self.answers if isinstance(answer, StatementEnd)]


class Asking:
    """A server in memory, and one session at it."""

    def __init__(self) -> None:
        self.instance = FakeInstance()
        self.service = EmulatedSqlService(self.instance, {"sa": "right"})
        self.session = self.service.log_in(SA)

    def another(self) -> Session:
        """Open a second session."""
        return self.service.log_in(SA)

    def run(self, text: str, parameters: Sequence[Parameter] = (), session: Session | None = None) -> Outcome:
        """Run a batch to its end."""
        return read((session or self.session).batch(text, parameters))

    def succeed(self, text: str) -> Outcome:
        """Run a batch that has no errors."""
        outcome = self.run(text)
        assert not outcome.errors, (text, [message for message in outcome.messages if message.is_error])
        return outcome


def read(answers: Iterable[Answer]) -> Outcome:
    """Read answers to their end."""
    return Outcome(list(answers))
