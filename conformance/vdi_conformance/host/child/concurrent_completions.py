"""Several threads that complete each command at the same moment: what `device.complete_concurrently` does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.completion import ERROR_SUCCESS
from vdi_conformance.vdi.hresult import NOERROR

if TYPE_CHECKING:
    from vdi_conformance.contract import Command, VirtualDevice


class _Rivals:
    """Threads that make one call each, all at once, time after time; the caller's thread is the first of them."""

    def __init__(self, device: VirtualDevice, counts: tuple[int | None, ...]) -> None:
        self._device = device
        self._counts = counts
        self._start = threading.Barrier(len(counts))
        self._end = threading.Barrier(len(counts))
        self._command: Command | None = None
        self._codes = [NOERROR] * len(counts)
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(1, len(counts))
        ]
        for thread in self._threads:
            thread.start()

    def complete(self, command: Command) -> list[int]:
        """Complete a command on every thread; give their codes in the order of the counts."""
        self._command = command
        self._take_part(0)
        if self._errors:
            raise self._errors[0]
        return list(self._codes)

    def dismiss(self) -> None:
        """Let the other threads end."""
        self._command = None
        self._start.wait()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        while self._take_part(number):
            pass

    def _take_part(self, number: int) -> bool:
        self._start.wait()
        if (command := self._command) is None:
            return False
        count = self._counts[number]
        if count is None:
            count = command.size if command.code in DATA_COMMANDS else 0
        try:
            self._codes[number] = self._device.complete_command(command.address, ERROR_SUCCESS, count, 0)
        except BaseException as error:
            self._errors.append(error)
        self._end.wait()
        return True


def race(device: VirtualDevice, timeout: int, limit: int | None, counts: tuple[int | None, ...]) -> dict[str, Any]:
    """Complete commands on all threads at once until GetCommand fails or `limit` commands are done."""
    answers: list[list[int]] = []
    code = NOERROR
    rivals = _Rivals(device, counts)
    try:
        while limit is None or len(answers) < limit:
            code, command = device.get_command(timeout)
            if code != NOERROR or command is None:
                break
            answers.append(rivals.complete(command))
    finally:
        rivals.dismiss()
    return {"code": code, "answers": answers}
