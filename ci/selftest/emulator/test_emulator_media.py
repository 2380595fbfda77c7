"""BACKUP and RESTORE over tapes and disks, with snapshots, of logs and file lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selftest.emulator.applications import Run, Site, Tape, backup, poke, restore
from vdi_conformance.host.medium import Medium
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.hresult import NOERROR, VD_E_CLOSE
from vdi_conformance.vdi.structures import VDConfig

if TYPE_CHECKING:
    from vdi_conformance.contract import Command, Statement, VirtualDevice

DISK_WITH_ALL = vdc.VDF_LIKE_DISK | vdc.VDF_REMOVABLE | vdc.VDF_DISCARD


class OnMedium(Tape):
    """An application that keeps its stream on a medium of some kind."""

    def __init__(self, features: int, stream: bytes = b"", marks: tuple[int, ...] = ()) -> None:
        super().__init__(stream)
        self.medium = Medium(features, marks=marks)

    def serve(self, device: VirtualDevice) -> int:
        """Answer with positions too."""
        while (fetched := device.get_command(20_000)).value is not None:
            self.commands.append(fetched.value)
            assert device.complete_command(fetched.value.address, *self._perform(fetched.value)) == NOERROR
        return fetched.code

    def _perform(self, command: Command) -> tuple[int, int, int]:
        medium = self.medium
        if command.code == vdc.VDC_WRITE:
            medium.begin(command.position)
            self.stream = self.stream[: medium.offset]
            medium.has_written(self._offer(command))
            return 0, command.size, 0
        if command.code == vdc.VDC_READ:
            medium.begin(command.position)
            part = self.stream[medium.offset :][: medium.readable(command.size)]
            poke(command.buffer, part)
            return medium.has_read(command.size, len(part)), len(part), 0
        code, position = medium.perform(command.code, command.size, command.position, len(self.stream))
        return code, 0, position

    @property
    def codes(self) -> list[int]:
        """The codes of the commands without data."""
        return [command.code for command in self.commands if command.code not in vdc.DATA_COMMANDS]


@pytest.mark.parametrize("features", [vdc.VDF_LIKE_TAPE, vdc.VDF_LIKE_DISK, DISK_WITH_ALL], ids=hex)
@pytest.mark.parametrize("devices", [("set",), ("set", "two")])
def test_what_lies_on_media_comes_back(site: Site, features: int, devices: tuple[str, ...]) -> None:
    config = VDConfig(features=features)
    written = [OnMedium(features) for _ in devices]
    assert site.run(backup(*devices), list(written), config).outcome.succeeded
    back = [OnMedium(features, one.stream, tuple(one.medium.marks)) for one in written]
    run = site.run(restore(*devices), list(back), config)
    assert run == Run(run.outcome, [VD_E_CLOSE] * len(devices), NOERROR)
    assert run.numbers == [3014]


def test_a_tape_is_rewound_marked_and_positioned(site: Site) -> None:
    config = VDConfig(features=vdc.VDF_LIKE_TAPE)
    written = OnMedium(vdc.VDF_LIKE_TAPE)
    assert site.run(backup(), [written], config).outcome.succeeded
    assert written.codes == [
        vdc.VDC_REWIND,
        vdc.VDC_WRITE_MARK,
        vdc.VDC_GET_POSITION,
        vdc.VDC_WRITE_MARK,
        vdc.VDC_FLUSH,
    ]
    assert written.medium.marks == [512, len(written.stream)]
    back = OnMedium(vdc.VDF_LIKE_TAPE, written.stream, tuple(written.medium.marks))
    assert site.run(restore(), [back], config).outcome.succeeded
    assert back.codes == [vdc.VDC_REWIND, vdc.VDC_SKIP_MARKS, vdc.VDC_GET_POSITION, vdc.VDC_SET_POSITION]
    assert [command.position for command in back.commands if command.code == vdc.VDC_SET_POSITION] == [513]


def test_who_keeps_no_marks_restores_a_tape_too(site: Site) -> None:
    (stream,) = site.back_up(backup())
    assert site.run(restore(), [Tape(stream)], VDConfig(features=vdc.VDF_LIKE_TAPE)).outcome.succeeded


@pytest.mark.parametrize("zone", [0, 65536, 131072])
def test_after_a_warning_the_server_keeps_to_the_zone(site: Site, zone: int) -> None:
    def warn(command: Command, count: int) -> tuple[int, int]:
        return (1100 if command.code == vdc.VDC_WRITE and len(tape.commands) == 2 else 0), count

    tape = Tape(complete=warn)
    config = VDConfig(features=vdc.VDF_REMOVABLE, eom_warning_size=zone)
    assert site.run(backup(), [tape], config).outcome.succeeded
    codes = [command.code for command in tape.commands[2:-1]]
    full, before_the_load = 400_000 // 65536, zone // 65536
    if zone:
        assert codes.index(vdc.VDC_LOAD) == before_the_load
    assert codes.count(vdc.VDC_WRITE) == full + 1


def test_the_rest_of_a_write_goes_to_the_next_medium(site: Site) -> None:
    def run_out(command: Command, count: int) -> tuple[int, int]:
        if command.code == vdc.VDC_WRITE and len(tape.commands) == 3:
            tape.stream = tape.stream[: 1024 - command.size]
            return 1100, 1024
        return 0, count

    tape = Tape(complete=run_out)
    assert site.run(backup(), [tape], VDConfig(features=vdc.VDF_REMOVABLE)).outcome.succeeded
    assert [command.size for command in tape.commands[2:5]] == [65536, 0, 65536 - 1024]
    assert site.run(restore(), [Tape(tape.stream)]).outcome.succeeded


@pytest.mark.parametrize("features", [0, vdc.VDF_SNAPSHOT_PREPARE], ids=["plain", "prepared"])
def test_a_snapshot_is_taken_and_mounted(site: Site, features: int) -> None:
    tape = Tape()
    run = site.run(backup()._replace(snapshot=True), [tape], VDConfig(features=features | vdc.VDF_REQUEST_COMPLETE))
    assert run == Run(run.outcome, [VD_E_CLOSE], NOERROR)
    assert run.numbers == [3014]
    codes = [command.code for command in tape.commands]
    prepared = [vdc.VDC_PREPARE_TO_FREEZE] if features else []
    assert codes == [vdc.VDC_WRITE, *prepared, vdc.VDC_WRITE, vdc.VDC_WRITE, vdc.VDC_FLUSH, vdc.VDC_SNAPSHOT]
    back = Tape(tape.stream)
    assert site.run(restore()._replace(snapshot=True), [back]).numbers == [3014]
    assert back.commands[-1].code == vdc.VDC_MOUNT_SNAPSHOT
    assert site.run(restore(), [Tape(tape.stream)]).numbers == [3143, 3013]


def test_a_snapshot_that_is_refused_fails_the_statement(site: Site) -> None:
    def refuse(command: Command, count: int) -> tuple[int, int]:
        return (995 if command.code == vdc.VDC_SNAPSHOT else 0), count

    run = site.run(backup()._replace(snapshot=True), [Tape(complete=refuse)])
    assert (run.numbers, run.ends) == ([3204, 3041, 3013], [VD_E_CLOSE])


def test_only_a_set_made_with_snapshot_is_restored_so(site: Site) -> None:
    (stream,) = site.back_up(backup())
    assert site.run(restore()._replace(snapshot=True), [Tape(stream)]).numbers == [3276, 3013]


def test_logs_and_databases_are_told_apart(site: Site) -> None:
    (log,) = site.back_up(backup()._replace(subject="log"))
    assert site.run(restore()._replace(subject="log"), [Tape(log)]).numbers == [3014]
    assert site.run(restore(), [Tape(log)]).numbers == [3143, 3013]


def test_a_list_of_files_needs_the_label_alone(site: Site) -> None:
    (stream,) = site.back_up(backup())
    tape = Tape(stream[:512])
    run = site.run(restore()._replace(subject="filelistonly"), [tape])
    assert (run.outcome.succeeded, run.numbers) == (True, [])
    assert [command.size for command in tape.commands] == [512]


@pytest.mark.parametrize(
    ("wrong", "numbers"),
    [
        (backup("set", "two")._replace(snapshot=True), [3277, 3041, 3013]),
        (backup()._replace(subject="filelistonly"), [156, 3041, 3013]),
        (restore()._replace(subject="filelistonly", snapshot=True), [156, 3013]),
    ],
)
def test_statements_that_cannot_be(site: Site, wrong: Statement, numbers: list[int]) -> None:
    outcome = site.start(wrong).result(20)
    assert [number for number, _ in outcome.messages] == numbers
