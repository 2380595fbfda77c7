"""What `emulator --judge` does: client applications are judged, and the verdicts told and written as evidence."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vdi_conformance.applications.judge import Judge
from vdi_conformance.cli.refusal import refusing
from vdi_conformance.emulator.broker import Broker
from vdi_conformance.emulator.server import EmulatorServer
from vdi_conformance.evidence.files import Evidence
from vdi_conformance.evidence.records import VERDICTS
from vdi_conformance.output.console import tell
from vdi_conformance.output.files import NotWritable
from vdi_conformance.untrusted.printable import shown

UNNAMED: Final = "client application"
NOBODY: Final = "nothing, since no client application came"
NAME: Final = 100
"""So many characters of a name are told."""


class Judging:
    """One judge, from the start of the emulator to its end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._judge: Judge | None = None

    def watch(self, broker: Broker, directory: str, seed: int) -> type[EmulatorServer]:
        """Begin with a broker, and give the class of the servers that look closely."""
        self._judge = Judge(broker, directory, seed)
        return self._judge.kind

    def finish(self, command: Sequence[str]) -> int:
        """Stop, write the evidence, tell what was found, and give the exit code of the verdicts."""
        if self._judge is None:
            return 0
        self._judge.stop()
        evidence = self._judge.evidence(shown(Path(command[0]).name, NAME) if command else UNNAMED)
        for line in _lines(evidence):
            tell(line)
        with refusing(NotWritable):
            self._judge.write(self._file, evidence)
        tell(f"Evidence: {self._file} (vdi-conformance report html {self._file}).")
        return evidence.footer.exit_code


def _lines(evidence: Evidence) -> list[str]:
    """Tell each cause, and the number of verdicts of each kind."""
    causes = [
        f"{check.verdict} {', '.join(check.requirements)}: {shown(check.cause.sentence)}"
        for check in evidence.checks
        if check.cause is not None and check.verdict != "not tested"
    ]
    untested = [one for check in evidence.checks if check.verdict == "not tested" for one in check.requirements]
    if untested:
        causes.append(f"not tested: {', '.join(untested)}")
    counted = [
        f"{evidence.footer.counts[verdict]} {verdict}" for verdict in VERDICTS if verdict in evidence.footer.counts
    ]
    return [*causes, f"Judged: {', '.join(counted) or NOBODY}."]
