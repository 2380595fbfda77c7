"""How a run ends that came to no verdict: with exit code 3 or 4, and one sentence as the last thing that is told."""

import re
from typing import Any, Final

import pytest

from vdi_conformance.host.errors import NoProcess, NotStarted
from vdi_conformance.output.console import Guarded, tell
from vdi_conformance.output.files import NotWritable
from vdi_conformance.private_interfaces import ExitRun, forget_interruption, replace_stream

INTERNAL: Final = int(pytest.ExitCode.INTERNAL_ERROR)
USAGE: Final = int(pytest.ExitCode.USAGE_ERROR)
TROUBLE: Final = (OSError, MemoryError, UnicodeError, NotStarted, NoProcess, NotWritable)
"""What says nothing of the implementation, and much of the machine, when it ends the suite itself."""
_TOLD_BY_A_WORKER: Final = re.compile(
    r"^E\s+(?:\w+\.)*(?:NotWritable: (.+)|(\w*Error: \[Errno .+)|(MemoryError.*))$", re.M
)
_REMEDY: Final = "see whether the machine is short of memory, files or processes, then run again"


class NoVerdict(ExitRun):
    """Ends the run at once, without a verdict."""

    def __init__(self, sentence: str, code: int = INTERNAL) -> None:
        super().__init__(sentence, code)


def sentence_of(error: BaseException) -> str | None:
    """Say in one sentence what kept the suite from going on; None where that is an error of its own."""
    if isinstance(error, NotWritable | NotStarted | NoProcess):
        return str(error)
    if isinstance(error, TROUBLE):
        return f"the suite could not go on ({type(error).__name__}: {error}): {_REMEDY}"
    return None


def _guarded(stream: Any) -> Guarded:
    return stream if isinstance(stream, Guarded) else Guarded(stream)


class Ends:
    """The controller's account of such an end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: pytest.Session | None = None
        self._console: Guarded | None = None
        self._sentence = ""
        self._code = INTERNAL

    def give_up(self, sentence: str, code: int = INTERNAL) -> None:
        """Let the run end so, once all that belongs to its end was done."""
        if not self._sentence:
            self._sentence, self._code = sentence, code

    @property
    def given_up(self) -> bool:
        """Whether the run ends so."""
        return bool(self._sentence)

    def _lose(self, sentence: str) -> None:
        assert self._session is not None, "what is told before that is not watched"
        self._session.shouldstop = self._session.shouldstop or sentence
        self.give_up(sentence)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Watch what a person is told from here on."""
        self._session = session
        if self._reporter() is not None:
            self._console = replace_stream(self._config, _guarded)
            self._console.listen(self._lose)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep the sentence for the end."""
        if isinstance(excinfo.value, NoVerdict):
            self.give_up(excinfo.value.msg, excinfo.value.returncode or INTERNAL)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Replace the traceback by a sentence where the machine is at fault, in whichever process."""
        sentence = sentence_of(excinfo.value)
        if sentence is None and (found := _TOLD_BY_A_WORKER.search(str(excrepr))):
            told, *others = found.groups()
            sentence = told or f"a test worker could not go on ({' '.join(filter(None, others))}): {_REMEDY}"
        if sentence is not None:
            raise NoVerdict(sentence)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """See off what was told, and say the sentence."""
        if self._console is not None:
            self._console.flush()
        if self._sentence and self._session is not None:
            # Whatever else ended it: what could not be told, or kept, is no verdict.
            self._session.exitstatus = self._code
            tell(f"ERROR: {self._sentence}")

    @pytest.hookimpl(tryfirst=True, specname="pytest_unconfigure")
    def pytest_take_over(self) -> None:
        """Keep pytest from telling the same in its own way."""
        if self._sentence and (reporter := self._reporter()) is not None:
            forget_interruption(reporter)

    def _reporter(self) -> Any:
        return self._config.pluginmanager.get_plugin("terminalreporter")


ENDS: Final = pytest.StashKey[Ends]()


def pytest_configure(config: pytest.Config) -> None:
    """Watch on the controller only."""
    if not hasattr(config, "workerinput"):
        config.stash[ENDS] = Ends(config)
        config.pluginmanager.register(config.stash[ENDS], "vdi-no-verdict")
