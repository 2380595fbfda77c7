"""A script of sqlcmd or osql as it runs on a session: its batches, their output, and when it ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from vdi_conformance.sqlserver.sqlcmd.rendering import Renderer
from vdi_conformance.sqlserver.sqlcmd.script import Batch, Command, Script, ScriptError, substituted
from vdi_conformance.tds.answers import FATAL, FIRST_ERROR, Message, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdi_conformance.sqlserver.sqlcmd.options import Options
    from vdi_conformance.sqlserver.sqlcmd.terminal import Terminal
    from vdi_conformance.tds.answers import Answer, Session, Value

FAILED: Final = 1
_FATAL_STATE: Final = 127
"""An error of this state ends the program with its number, whatever its severity."""
_DEEPEST: Final = 64
"""So many files may be read one within the other."""
_NO_ROWS: Final = -101
_NO_NUMBER: Final = -102


class Ended(Exception):
    """The program ends with this exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class ScriptRun:
    """One run; `interrupt` may be called from another thread at any time."""

    def __init__(self, session: Session, options: Options, server_name: str, terminal: Terminal) -> None:
        self._session = session
        self._options = options
        self._renderer = Renderer(options, server_name)
        self._terminal = terminal
        self._variables = dict(options.variables)
        self._stops = options.stops_on_error
        self._code = 0
        self._is_interrupted = False
        self._is_late = False

    def interrupt(self) -> None:
        """End the batch that runs, and the program after it, as Ctrl-C does."""
        self._is_interrupted = True
        self._session.cancel()

    def run(self) -> int:
        """Run what the options name, and give the exit code."""
        options = self._options
        try:
            if options.query is not None:
                self._read(options.query.splitlines())
            for path in options.inputs:
                self._read(self._terminal.read(path).splitlines(), prompts=options.numbers_lines)
            if not options.inputs and not options.exits_after_query:
                shown = options.numbers_lines or self._terminal.is_interactive
                self._read(self._terminal.lines(), prompts=shown)
        except Ended as end:
            return end.code
        return self._code

    # Input

    def _read(self, lines: Iterable[str], prompts: bool = False, depth: int = 0) -> None:
        """Obey the lines of a script, and what stands after the last terminator."""
        script = Script(self._options.terminator, has_commands=self._options.program == "sqlcmd")
        try:
            self._prompt(script, prompts)
            for line in lines:
                found = script.take(line)
                if isinstance(found, Command):
                    self._obey(found, script, depth)
                elif found is not None:
                    self._repeat(found)
                self._prompt(script, prompts)
            rest = script.rest()
            if rest is not None:
                self._repeat(rest)
        except ScriptError as error:
            self._terminal.write(f"{error}\n", is_error=True)
            raise Ended(FAILED) from error

    def _prompt(self, script: Script, prompts: bool) -> None:
        if prompts:
            self._terminal.write(f"{script.next_number}> ")

    def _obey(self, command: Command, script: Script, depth: int) -> None:
        match command.name:
            case "quit":
                raise Ended(0)
            case "exit":
                self._exit(command.argument, script.rest())
            case "setvar":
                self._set(command.argument)
            case "on":
                self._stops = command.argument.lower().split() == ["error", "exit"]
            case "r" if depth < _DEEPEST:
                self._read(self._terminal.read(command.argument.strip('"')).splitlines(), depth=depth + 1)
            case "r":
                raise ScriptError(f"Error: files are read one within the other {_DEEPEST} times at most.")

    def _set(self, argument: str) -> None:
        name, _, value = argument.partition(" ")
        if value.strip():
            self._variables[name.upper()] = value.strip().strip('"')
        else:
            self._variables.pop(name.upper(), None)

    def _exit(self, argument: str, rest: Batch | None) -> None:
        """EXIT leaves at once, EXIT() runs the batch first, EXIT(query) gives what the query does."""
        query = argument.strip()[1:-1].strip()
        if not argument:
            raise Ended(0)
        if rest is not None:
            self._repeat(rest)
        raise Ended(_code_of(self._batch(query)) if query else 0)

    # Batches

    def _repeat(self, batch: Batch) -> None:
        for _ in range(batch.times):
            self._batch(batch.text)

    def _batch(self, text: str) -> list[Value]:
        """Run a batch and show its answers; give the first value of each row of its last result."""
        if self._options.substitutes and self._options.program == "sqlcmd":
            text = substituted(text, self._variables)
        if self._options.echoes:
            self._terminal.write(f"{text}\n")
        firsts: list[Value] = []
        worst = Message(0, "")
        for answer in self._timed(text):
            self._show(answer)
            if isinstance(answer, Row):
                firsts.append(answer.values[0])
            elif isinstance(answer, Message) and (answer.severity > worst.severity or answer.state == _FATAL_STATE):
                worst = answer
        self._judge(worst)
        return firsts

    def _timed(self, text: str) -> Iterable[Answer]:
        seconds = self._options.query_timeout
        timer = threading.Timer(seconds, self._be_late)
        timer.daemon = True
        if seconds:
            timer.start()
        try:
            yield from self._session.batch(text)
        finally:
            timer.cancel()

    def _be_late(self) -> None:
        self._is_late = True
        self._session.cancel()

    def _show(self, answer: Answer) -> None:
        text = self._renderer.render(answer)
        if text is not None:
            self._terminal.write(text.text, text.is_error)

    def _judge(self, worst: Message) -> None:
        """End the program where a batch was interrupted, or had an error that ends it."""
        title = self._options.title
        if self._is_interrupted:
            sentence = "Warning: The last operation was terminated because the user pressed CTRL+C."
            self._terminal.write(f"{title}: {sentence}\n", is_error=True)
            raise Ended(FAILED)
        if self._is_late:
            self._is_late = False
            self._terminal.write("Timeout expired\n", is_error=True)
            worst = Message(0, "", FIRST_ERROR)
        if worst.state == _FATAL_STATE:
            raise Ended(worst.number)
        if worst.severity < (self._options.exit_from or FIRST_ERROR):
            return
        code = FAILED if self._options.exit_from is None else worst.severity
        if self._stops or worst.severity >= FATAL:
            raise Ended(code)
        self._code = 0 if self._options.exit_from is None else code


def _code_of(firsts: list[Value]) -> int:
    """Make an exit code of what a query gave."""
    if not firsts:
        return _NO_ROWS
    try:
        return int(firsts[0])  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return _NO_NUMBER
