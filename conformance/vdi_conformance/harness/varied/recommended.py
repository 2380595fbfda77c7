"""What is only recommended: a break of it is told when all that must be has been judged, so that it hides nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from vdi_conformance.harness.judging import ConformanceFailure, judging, severity
from vdi_conformance.requirements import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator


class Recommendations:
    """Keeps the recommendations that were `broken` so far."""

    def __init__(self) -> None:
        self.broken: list[ConformanceFailure] = []

    @contextmanager
    def judging(self, requirement: str) -> Iterator[None]:
        """Charge what breaks within to a requirement; where that is only recommended, the check goes on."""
        try:
            with judging(requirement):
                yield
        except ConformanceFailure as failure:
            found = catalogue().get(str(failure.by))
            if found is None or severity(found.level) == "fails":
                raise
            self.broken.append(failure)

    def tell(self) -> None:
        """Raise the first one that was broken."""
        if self.broken:
            raise self.broken[0]
