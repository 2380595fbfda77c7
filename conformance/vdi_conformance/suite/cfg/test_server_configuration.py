"""The server's half of the configuration: what it takes from the statement and the client, and what it refuses."""

from collections.abc import Collection, Iterator
from typing import Final

import pytest

from vdi_conformance.harness.device import Device, Fetched
from vdi_conformance.harness.judging import ConformanceFailure, judging, vdi_requirement
from vdi_conformance.harness.parametrizations import alternating_direction
from vdi_conformance.harness.scenario import USUAL, Scenario
from vdi_conformance.harness.server_messages import require_failure, require_message
from vdi_conformance.harness.statement_run import Kind, StatementRun
from vdi_conformance.harness.testbed import Testbed
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import MAX_ALIGNMENT, MAX_DEVICES, VDConfig

MIB = 1 << 20
KINDS = (vdc.VDF_LIKE_PIPE, vdc.VDF_LIKE_TAPE, vdc.VDF_LIKE_DISK, vdc.VDF_REMOVABLE | vdc.VDF_DISCARD)
KIND_NAMES = ("pipe", "tape", "disk", "removable")
BLOCK_SIZES: Final = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
TRANSFER_SIZES: Final = range(65536, 4 * MIB + 1, 65536)
A_MOMENT: Final = 50
"""So many milliseconds, before scaling, are enough for a server that has a buffer at hand."""


def configured(testbed: Testbed, kind: Kind, scenario: Scenario = USUAL, **options: object) -> VDConfig:
    """Let the server configure a set, and the client leave it."""
    statement = testbed.created(kind, scenario)
    statement.execute(**options)
    config = statement.primary.get_configuration().expect(NOERROR)
    statement.primary.close().expect(NOERROR)
    return config


def refuse(testbed: Testbed, **options: object) -> None:
    """Fail the check unless the server refuses a BACKUP with these options."""
    statement = testbed.created("backup")
    statement.execute(**options)
    require_failure(statement.outcome(), f"it named {options}")


def configuration_if_any(testbed: Testbed, **options: object) -> tuple[StatementRun, VDConfig | None]:
    """Begin a BACKUP with these options; give the configuration that its client is told before it ends, if any."""
    statement = testbed.created("backup")
    configuring = statement.primary.send_get_configuration(thread="configuration")
    statement.execute(**options)
    testbed.session.supervisor.wait_any([*statement.statements, configuring.pending])
    answer = configuring.result() if configuring.done else None
    return statement, answer.expect(NOERROR) if answer is not None and answer.succeeded else None


def require_equal(field: str, found: int, wanted: int) -> None:
    """Fail the check unless a field of the configuration is what it must be."""
    if found != wanted:
        raise ConformanceFailure(f"{field} is {found} instead of {wanted}", (str(wanted),), str(found))


def require_legal(field: str, found: int, legal: Collection[int]) -> None:
    """Fail the check unless a field of the configuration has a value that it may have at all."""
    if found not in legal:
        raise ConformanceFailure(f"{field} is {found}, which it can never be", observed=str(found))


@alternating_direction("features", KINDS, KIND_NAMES)
@vdi_requirement("CFG-14")
def test_the_clients_own_feature_bits_come_back(testbed: Testbed, kind: Kind, features: int) -> None:
    """The server returns the client's own feature bits in the features of the configuration."""
    config = configured(testbed, kind, Scenario(features=features))
    require_equal("features of the client", config.features & ~vdc.SERVER_FEATURES, features)


@vdi_requirement("CFG-12")
def test_a_backup_is_told_by_write_media(testbed: Testbed) -> None:
    """For a BACKUP the server sets VDF_WriteMedia in the features of the configuration."""
    features = configured(testbed, "backup").features
    testbed.observe("Q28", "ReadMedia in a BACKUP", str(bool(features & vdc.VDF_READ_MEDIA)))
    require_equal("VDF_WriteMedia", features & vdc.VDF_WRITE_MEDIA, vdc.VDF_WRITE_MEDIA)


@vdi_requirement("CFG-13")
def test_a_restore_is_told_by_read_media_alone(testbed: Testbed) -> None:
    """For a RESTORE the server sets VDF_ReadMedia, and not VDF_WriteMedia, in the features of the configuration."""
    both = vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA
    require_equal("direction of a RESTORE", configured(testbed, "restore").features & both, vdc.VDF_READ_MEDIA)


@vdi_requirement("CFG-15")
def test_complete_is_enabled_for_none_who_did_not_ask(testbed: Testbed, kind: Kind) -> None:
    """The server sets no VDF_CompleteEnabled where the client did not ask with VDF_RequestComplete."""
    features = configured(testbed, kind, Scenario(features=vdc.VDF_SNAPSHOT_PREPARE)).features
    require_equal("VDF_CompleteEnabled", features & vdc.VDF_COMPLETE_ENABLED, 0)


@vdi_requirement("CFG-16")
def test_every_legal_blocksize_becomes_that_of_the_set(testbed: Testbed) -> None:
    """The server makes every power of 2 from 512 to 65536 that is BLOCKSIZE the blockSize of the set."""
    _require_blocks_as_named(testbed)


@vdi_requirement("TSQ-05")
def test_blocksize_takes_every_legal_value(testbed: Testbed) -> None:
    """BLOCKSIZE takes every power of 2 from 512 to 65536, and the server configures the set with it."""
    _require_blocks_as_named(testbed)


def _require_blocks_as_named(testbed: Testbed) -> None:
    for size in BLOCK_SIZES:
        require_equal("blockSize", configured(testbed, "backup", block_size=size).block_size, size)


@vdi_requirement("CFG-16", "TSQ-05")
def test_no_other_blocksize_is_taken(testbed: Testbed) -> None:
    """The server refuses a BLOCKSIZE that is no power of 2 from 512 to 65536, and gives no such blockSize."""
    for size in (0, 256, 1000, 131072):
        statement, config = configuration_if_any(testbed, block_size=size)
        if config is not None:
            with judging("CFG-16"):
                require_legal("blockSize", config.block_size, BLOCK_SIZES)
        with judging("TSQ-05"):
            require_failure(statement.outcome(), f"it named a BLOCKSIZE of {size}")


@vdi_requirement("CFG-17")
def test_without_blocksize_it_is_512(testbed: Testbed) -> None:
    """Without BLOCKSIZE the server makes blockSize 512."""
    require_equal("blockSize", configured(testbed, "backup", block_size=None).block_size, 512)


@vdi_requirement("CFG-18")
def test_legal_maxtransfersizes_become_that_of_the_set(testbed: Testbed) -> None:
    """The server makes MAXTRANSFERSIZE the maxTransferSize of the set, 65536 by default, without the prefix zone."""
    _require_transfers_as_named(testbed, Scenario(prefix_zone_size=4096))


@vdi_requirement("TSQ-06")
def test_maxtransfersize_takes_legal_values(testbed: Testbed) -> None:
    """MAXTRANSFERSIZE takes multiples of 65536 up to 4194304, by default 65536, and the set is configured with it."""
    _require_transfers_as_named(testbed, USUAL)


def _require_transfers_as_named(testbed: Testbed, scenario: Scenario) -> None:
    for size in (None, 65536, 3 * 65536, 4 * MIB):
        config = configured(testbed, "backup", scenario, max_transfer_size=size)
        require_equal("maxTransferSize", config.max_transfer_size, size or 65536)


@vdi_requirement("CFG-18", "TSQ-06")
def test_no_other_maxtransfersize_is_taken(testbed: Testbed) -> None:
    """The server refuses a MAXTRANSFERSIZE that is no multiple of 65536 up to 4194304, and gives none like it."""
    for size in (0, 32768, 65537, 8 * MIB):
        statement, config = configuration_if_any(testbed, max_transfer_size=size)
        if config is not None:
            with judging("CFG-18"):
                require_legal("maxTransferSize", config.max_transfer_size, TRANSFER_SIZES)
        with judging("TSQ-06"):
            require_failure(statement.outcome(), f"it named a MAXTRANSFERSIZE of {size}")


@alternating_direction(
    "alignment", [0, 1, 4096, 65536], ["no wish", "a wish of 1", "a wish of 4 KiB", "a wish of 64 KiB"]
)
@vdi_requirement("CFG-20")
def test_the_alignment_suits_client_and_blocks(testbed: Testbed, kind: Kind, alignment: int) -> None:
    """The server's alignment is a power of 2 up to 65536, not below the client's wish nor below blockSize."""
    for block_size in (512, 65536):
        found = configured(testbed, kind, Scenario(alignment=alignment, block_size=block_size)).alignment
        if found & (found - 1) or not max(alignment, block_size) <= found <= MAX_ALIGNMENT:
            raise ConformanceFailure(
                f"the alignment is {found}, the client asked for {alignment} with blocks of {block_size}",
                (f"a power of 2 from {max(alignment, block_size)} to {MAX_ALIGNMENT}",),
                str(found),
            )


@pytest.mark.parametrize("named", [1, 3], ids=["one device fewer", "one device more"])
@vdi_requirement("CFG-31")
def test_another_number_of_devices_gives_no_configuration(testbed: Testbed, named: int) -> None:
    """A statement of other than deviceCount devices fails, and GetConfiguration does not answer NOERROR."""
    statement = testbed.created("backup", Scenario(devices=2))
    statement.execute(devices=[*statement.device_names, "further"][:named])
    require_failure(statement.outcome(), f"it names {named} devices, the client declared 2")
    answer = statement.primary.get_configuration(0)
    answer.permit("Q29", "GetConfiguration after a statement of other devices", VD_E_ABORT, VD_E_TIMEOUT)


@vdi_requirement("TSQ-16")
def test_a_configuration_that_cannot_be_used_is_message_3261(testbed: Testbed) -> None:
    """A statement of fewer devices than deviceCount fails with message 3261."""
    statement = testbed.created("backup", Scenario(devices=2))
    statement.execute(devices=[statement.set_name])
    require_message(statement.outcome(), 3261)


@vdi_requirement("NAM-16")
def test_a_device_is_named_once(testbed: Testbed) -> None:
    """The server refuses a statement in which two devices have one name, and configures no set for it."""
    for further in (("twin", "twin"), ("twin", "other", "twin"), ("other", None)):
        statement = testbed.created("backup", Scenario(devices=1 + len(further)))
        end = statement.refuse(devices=[statement.set_name, *(name or statement.set_name for name in further)])
        require_failure(end, "two of its devices have one name")
        answer = statement.primary.get_configuration(0)
        answer.expect(VD_E_ABORT, VD_E_TIMEOUT)


@vdi_requirement("TSQ-03")
def test_64_devices_are_the_most(testbed: Testbed) -> None:
    """The server takes a BACKUP to 64 devices, and refuses one to 65 with message 3205."""
    testbed.backup(Scenario(devices=MAX_DEVICES, transfers=1)).succeed()
    statement = testbed.created("backup", Scenario(devices=MAX_DEVICES))
    require_message(statement.refuse(devices=[*statement.device_names, "one too many"]), 3205)


@vdi_requirement("TSQ-07")
def test_the_pool_has_no_more_buffers_than_buffercount(testbed: Testbed) -> None:
    """No more full-sized transfers are outstanding at once than BUFFERCOUNT says."""
    statement = testbed.backup(Scenario(devices=3, buffer_count=2, transfers=4))
    held = [command for _ in range(3) for device in statement.devices for command in _full_sized(statement, device)]
    if len(held) > statement.scenario.buffer_count:
        raise ConformanceFailure(f"{len(held)} full-sized transfers were outstanding at once", ("2 at most",))
    for command in held:
        statement.answer(command).expect(NOERROR)
    statement.require_success(statement.drain())


def _full_sized(statement: StatementRun, device: Device) -> Iterator[Fetched]:
    """Give the full-sized transfers that come while none of them is completed; whatever else comes is."""
    while (command := device.get_command(statement.primary.scaled(A_MOMENT)).value) is not None:
        if command.size == statement.scenario.max_transfer_size:
            yield command
        else:
            statement.answer_any(command).expect(NOERROR)


@vdi_requirement("TSQ-07")
def test_buffercount_is_positive(testbed: Testbed) -> None:
    """The server refuses a BUFFERCOUNT of 0."""
    refuse(testbed, buffer_count=0)


@vdi_requirement("BUF-10")
def test_transfers_are_whole_blocks_and_no_larger_than_allowed(testbed: Testbed, kind: Kind) -> None:
    """The server's transfers are multiples of blockSize, and at most maxTransferSize."""
    scenario = Scenario(devices=2, block_size=4096, max_transfer_size=131072, database=300_000)
    statement = testbed.statement(kind, scenario)
    for command in statement.commands():
        size = command.size
        if command.code in DATA_COMMANDS and (size % 4096 or not 0 < size <= 131072):
            raise ConformanceFailure(
                f"a transfer of {size} bytes came", ("a multiple of 4096 up to 131072",), str(size)
            )
        statement.answer_any(command).expect(NOERROR)
