"""The server's half of the configuration: what it takes from the statement and the client, and what it refuses."""

from collections.abc import Iterator
from typing import Final

import pytest

from vdi_conformance.suite.device import Device, Fetched
from vdi_conformance.suite.endings import require_failure, require_message
from vdi_conformance.suite.judging import ConformanceFailure, judges
from vdi_conformance.suite.operation import Kind, Operation
from vdi_conformance.suite.scene import USUAL, Geometry
from vdi_conformance.suite.stage import Stage
from vdi_conformance.suite.variants import in_turn
from vdi_conformance.vdi import commands as vdc
from vdi_conformance.vdi.commands import DATA_COMMANDS
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT, VD_E_TIMEOUT
from vdi_conformance.vdi.structures import MAX_ALIGNMENT, MAX_DEVICES, VDConfig

MIB = 1 << 20
KINDS = (vdc.VDF_LIKE_PIPE, vdc.VDF_LIKE_TAPE, vdc.VDF_LIKE_DISK, vdc.VDF_REMOVABLE | vdc.VDF_DISCARD)
KIND_NAMES = ("pipe", "tape", "disk", "removable")
A_MOMENT: Final = 50
"""So many milliseconds, before scaling, are enough for a server that has a buffer at hand."""


def configured(stage: Stage, kind: Kind, geometry: Geometry = USUAL, **options: object) -> VDConfig:
    """Let the server configure a set, and the client leave it."""
    operation = stage.created(kind, geometry)
    operation.execute(**options)
    config = operation.primary.get_configuration().expect(NOERROR)
    operation.primary.close().expect(NOERROR)
    return config


def refuse(stage: Stage, **options: object) -> Operation:
    """Fail the check unless the server refuses a BACKUP with these options."""
    operation = stage.created("backup")
    operation.execute(**options)
    require_failure(operation.outcome(), f"it named {options}")
    return operation


def require_equal(field: str, found: int, wanted: int) -> None:
    """Fail the check unless a field of the configuration is what it must be."""
    if found != wanted:
        raise ConformanceFailure(f"{field} is {found} instead of {wanted}", (str(wanted),), str(found))


@in_turn("features", KINDS, KIND_NAMES)
@judges("CFG-14")
def test_the_clients_own_feature_bits_come_back(stage: Stage, kind: Kind, features: int) -> None:
    config = configured(stage, kind, Geometry(features=features))
    require_equal("features of the client", config.features & ~vdc.SERVER_FEATURES, features)


@judges("CFG-12")
def test_a_backup_is_told_by_write_media(stage: Stage) -> None:
    features = configured(stage, "backup").features
    stage.observe("Q28", "ReadMedia in a BACKUP", str(bool(features & vdc.VDF_READ_MEDIA)))
    require_equal("VDF_WriteMedia", features & vdc.VDF_WRITE_MEDIA, vdc.VDF_WRITE_MEDIA)


@judges("CFG-13")
def test_a_restore_is_told_by_read_media_alone(stage: Stage) -> None:
    both = vdc.VDF_WRITE_MEDIA | vdc.VDF_READ_MEDIA
    require_equal("direction of a RESTORE", configured(stage, "restore").features & both, vdc.VDF_READ_MEDIA)


@judges("CFG-15")
def test_complete_is_enabled_for_none_who_did_not_ask(stage: Stage, kind: Kind) -> None:
    features = configured(stage, kind, Geometry(features=vdc.VDF_SNAPSHOT_PREPARE)).features
    require_equal("VDF_CompleteEnabled", features & vdc.VDF_COMPLETE_ENABLED, 0)


@judges("CFG-16", "TSQ-05")
def test_every_legal_blocksize_becomes_that_of_the_set(stage: Stage) -> None:
    for size in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536):
        require_equal("blockSize", configured(stage, "backup", block_size=size).block_size, size)


@judges("CFG-16", "TSQ-05")
def test_no_other_blocksize_is_taken(stage: Stage) -> None:
    for size in (0, 256, 1000, 131072):
        refuse(stage, block_size=size)


@judges("CFG-17")
def test_without_blocksize_it_is_512(stage: Stage) -> None:
    require_equal("blockSize", configured(stage, "backup", block_size=None).block_size, 512)


@judges("CFG-18", "TSQ-06")
def test_legal_maxtransfersizes_become_that_of_the_set(stage: Stage) -> None:
    for size in (None, 65536, 3 * 65536, 4 * MIB):
        config = configured(stage, "backup", Geometry(prefix_zone_size=4096), max_transfer_size=size)
        require_equal("maxTransferSize", config.max_transfer_size, size or 65536)


@judges("CFG-18", "TSQ-06")
def test_no_other_maxtransfersize_is_taken(stage: Stage) -> None:
    for size in (0, 32768, 65537, 8 * MIB):
        refuse(stage, max_transfer_size=size)


@in_turn("alignment", [0, 1, 4096, 65536])
@judges("CFG-20")
def test_the_alignment_suits_client_and_blocks(stage: Stage, kind: Kind, alignment: int) -> None:
    for block_size in (512, 65536):
        found = configured(stage, kind, Geometry(alignment=alignment, block_size=block_size)).alignment
        if found & (found - 1) or not max(alignment, block_size) <= found <= MAX_ALIGNMENT:
            raise ConformanceFailure(
                f"the alignment is {found}, the client asked for {alignment} with blocks of {block_size}",
                (f"a power of 2 from {max(alignment, block_size)} to {MAX_ALIGNMENT}",),
                str(found),
            )


@pytest.mark.parametrize("named", [1, 3])
@judges("CFG-31")
def test_another_number_of_devices_gives_no_configuration(stage: Stage, named: int) -> None:
    operation = stage.created("backup", Geometry(devices=2))
    operation.execute(devices=[*operation.device_names, "further"][:named])
    require_failure(operation.outcome(), f"it names {named} devices, the client declared 2")
    answer = operation.primary.get_configuration(0)
    answer.permit("Q29", "GetConfiguration after a statement of other devices", VD_E_ABORT, VD_E_TIMEOUT)


@judges("TSQ-16")
def test_a_configuration_that_cannot_be_used_is_message_3261(stage: Stage) -> None:
    operation = stage.created("backup", Geometry(devices=2))
    operation.execute(devices=[operation.set_name])
    require_message(operation.outcome(), 3261)


@judges("NAM-16")
def test_a_device_is_named_once(stage: Stage) -> None:
    for further in (("twin", "twin"), ("twin", "other", "twin"), ("other", None)):
        operation = stage.created("backup", Geometry(devices=1 + len(further)))
        end = operation.refuse(devices=[operation.set_name, *(name or operation.set_name for name in further)])
        require_failure(end, "two of its devices have one name")
        answer = operation.primary.get_configuration(0)
        answer.require(VD_E_ABORT, VD_E_TIMEOUT)


@judges("TSQ-03")
def test_64_devices_are_the_most(stage: Stage) -> None:
    stage.backup(Geometry(devices=MAX_DEVICES, transfers=1)).succeed()
    operation = stage.created("backup", Geometry(devices=MAX_DEVICES))
    require_message(operation.refuse(devices=[*operation.device_names, "one too many"]), 3205)


@judges("TSQ-07")
def test_the_pool_has_no_more_buffers_than_buffercount(stage: Stage) -> None:
    operation = stage.backup(Geometry(devices=3, buffer_count=2, transfers=4))
    held = [command for _ in range(3) for device in operation.devices for command in _full_sized(operation, device)]
    if len(held) > operation.geometry.buffer_count:
        raise ConformanceFailure(f"{len(held)} full-sized transfers were outstanding at once", ("2 at most",))
    for command in held:
        operation.answer(command).expect(NOERROR)
    operation.require_success(operation.drain())


def _full_sized(operation: Operation, device: Device) -> Iterator[Fetched]:
    """Give the full-sized transfers that come while none of them is completed; whatever else comes is."""
    while (command := device.get_command(operation.primary.scaled(A_MOMENT)).value) is not None:
        if command.size == operation.geometry.max_transfer_size:
            yield command
        else:
            operation.answer_any(command).expect(NOERROR)


@judges("TSQ-07")
def test_buffercount_is_positive(stage: Stage) -> None:
    refuse(stage, buffer_count=0)


@judges("BUF-10")
def test_transfers_are_whole_blocks_and_no_larger_than_allowed(stage: Stage, kind: Kind) -> None:
    geometry = Geometry(devices=2, block_size=4096, max_transfer_size=131072, database=300_000)
    operation = stage.operation(kind, geometry)
    for command in operation.commands():
        size = command.size
        if command.code in DATA_COMMANDS and (size % 4096 or not 0 < size <= 131072):
            raise ConformanceFailure(
                f"a transfer of {size} bytes came", ("a multiple of 4096 up to 131072",), str(size)
            )
        operation.answer_any(command).expect(NOERROR)
