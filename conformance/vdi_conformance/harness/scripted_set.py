"""A set whose server does what the check tells it, and shows every completion."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from vdi_conformance.harness.device import BOUND_TO_COME, COMPLETE_COMMAND
from vdi_conformance.harness.expectations import SLOW, PendingAnswer, Result
from vdi_conformance.harness.judging import ConformanceFailure, MandatoryBroken, Needed, not_tested
from vdi_conformance.harness.scenario import SetInUse
from vdi_conformance.harness.server import ServerRole
from vdi_conformance.vdi.commands import VDC_FLUSH, VDC_WRITE, VDF_WRITE_MEDIA
from vdi_conformance.vdi.completion import ERROR_IO_DEVICE, ERROR_OPERATION_ABORTED, ERROR_SUCCESS
from vdi_conformance.vdi.completion import name_of as completion_name
from vdi_conformance.vdi.hresult import NOERROR, VD_E_ABORT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from vdi_conformance.harness.device import Accepted
    from vdi_conformance.harness.expectations import Observe
    from vdi_conformance.harness.scenario import Placement
    from vdi_conformance.host.messages.base import CodeReply
    from vdi_conformance.host.messages.server import CompletionRecord

VDI_OWN_CODES: Final = (ERROR_OPERATION_ABORTED, ERROR_IO_DEVICE)


class ScriptedSet(SetInUse):
    """A set whose server, `server`, takes every step that it is told, with the clients on the other side."""

    def __init__(self, placement: Placement, observe: Observe) -> None:
        super().__init__(placement)
        self.server = ServerRole(placement.server, observe)
        self.aborted = False
        self.tolerated: set[int] = set()
        self._observe = observe
        self._tags = count(1)
        self._sent: dict[str, list[int]] = {device: [] for device in self.device_names}
        self._dropped: set[int] = set()
        self._seen: list[CompletionRecord] = []
        self._killed = False

    @property
    def requested(self) -> int:
        """The bytes of all buffers that the server has asked for."""
        return self.server.requested

    def start(self, features: int = VDF_WRITE_MEDIA) -> None:
        """Create the set, configure it and open every device on both sides."""
        self.create()
        self.begin(features)

    def begin(self, features: int = VDF_WRITE_MEDIA) -> None:
        """Configure the set that was created, and open every device on both sides."""
        self.begin_configuration(features)
        self.end_configuration()
        self.configuration = self.primary.get_configuration().expect(NOERROR, by=Needed("CFG-01"))
        self.join_all()
        self.open_devices()

    def begin_configuration(self, features: int = VDF_WRITE_MEDIA) -> None:
        """Let the server find the set that was created, and begin to configure it."""
        scenario = self.scenario
        self.server.open(scenario.instance, self.set_name).expect(NOERROR, by=Needed("CRE-01"))
        self.server.begin_configuration(
            scenario.features | features,
            scenario.alignment and self._alignment,
            scenario.block_size,
            scenario.max_transfer_size,
            self.primary.scaled(BOUND_TO_COME),
        ).expect(NOERROR)

    def end_configuration(self) -> None:
        """Let the server allocate the buffers, which ends its configuration."""
        self.request_buffers(self.scenario.buffer_count)
        self.server.end_configuration().expect(NOERROR)

    def open_device(self, index: int) -> None:
        """Let the server, and then the owner, open a device."""
        self.offer_device(index)
        self.accept_device(index)

    def offer_device(self, index: int) -> None:
        """Let the server open a device."""
        self.server.open_device(self.device_names[index]).expect(NOERROR)

    def accept_device(self, index: int) -> None:
        """Let the owner open a device that the server has opened."""
        super().open_device(index)

    def request_buffers(self, count: int) -> None:
        """Ask for a further area of full-sized buffers."""
        self.server.request_buffers(self.scenario.max_transfer_size, self._alignment, count).expect(NOERROR)

    def allocate(self, size: int | None = None) -> int:
        """Take a buffer; its address is one of the server's process."""
        return self.server.allocate_buffer(size or self.scenario.max_transfer_size, self._alignment).expect(NOERROR)

    @property
    def _alignment(self) -> int:
        return max(self.scenario.alignment, self.scenario.block_size)

    def send(
        self, buffer: int = 0, code: int = VDC_WRITE, size: int | None = None, position: int = 0, device: int = 0
    ) -> int:
        """Queue a command and give its tag; a data command has a full-sized buffer unless told otherwise."""
        return self.try_to_send(buffer, code, size, position, device).expect(NOERROR)

    def try_to_send(
        self, buffer: int = 0, code: int = VDC_WRITE, size: int | None = None, position: int = 0, device: int = 0
    ) -> Result[int]:
        """Queue a command that the server may refuse."""
        return self.start_to_send(buffer, code, size, position, device).result()

    def start_to_send(
        self, buffer: int = 0, code: int = VDC_WRITE, size: int | None = None, position: int = 0, device: int = 0
    ) -> PendingAnswer[CodeReply, Result[int]]:
        """Start to queue a command that the server may refuse; the value of the answer is its tag."""
        name = self.device_names[device]
        tag = next(self._tags)
        if size is None:
            size = self.scenario.max_transfer_size if buffer else 0

        def sent(reply: CodeReply) -> Result[int]:
            if reply.code == NOERROR:
                self._sent[name].append(tag)
            return Result("SendCommand of the server", reply.code, self._observe, tag)

        return PendingAnswer(self.server.send_send_command(name, code, size, position, buffer, tag).pending, sent)

    def all_sent(self, sending: Sequence[PendingAnswer[CodeReply, Result[int]]]) -> list[int]:
        """Give the tags of commands that are queued together; not tested where a device takes fewer at once."""
        answers = [one.result() for one in sending]
        if answers[0].succeeded and not all(one.succeeded for one in answers):
            not_tested(f"a device takes fewer than {len(answers)} commands at once")
        return [one.expect(NOERROR) for one in answers]

    def passes(self, device: int, count: int) -> bool:
        """Pass so many commands without data over a device, one by one; tell whether no abort ended that."""
        passed = all(self._pass_one(device) for _ in range(count))
        self.aborted = self.aborted or not passed
        return passed

    def _pass_one(self, device: int) -> bool:
        sent = self.try_to_send(code=VDC_FLUSH, device=device)
        sent.expect(NOERROR, VD_E_ABORT)
        fetched = self.devices[device].get_command()
        fetched.expect(NOERROR, VD_E_ABORT)
        if VD_E_ABORT in (sent.code, fetched.code):
            return False
        completed = self.devices[device].complete(fetched.expect(NOERROR))
        completed.expect(NOERROR, VD_E_ABORT)
        seen = self.completion()
        if completed.code == VD_E_ABORT or (seen is not None and seen.code == ERROR_OPERATION_ABORTED):
            return False
        self._require_completion(seen, sent.expect(NOERROR), ERROR_SUCCESS, 0)
        return True

    def completion(self, timeout: int | None = None) -> CompletionRecord | None:
        """Wait for the next completion; the default waits for what is bound to come."""
        milliseconds = self.primary.scaled(BOUND_TO_COME) if timeout is None else timeout
        completion = self.server.next_completion(milliseconds)
        if completion is not None:
            self._seen.append(completion)
            if len(self._seen) > self.primary.most_commands:
                raise ConformanceFailure(f"the server sees completions without end: {len(self._seen)} of them")
        return completion

    def aborted_command(self, tag: int) -> None:
        """Fail the check unless the next completion is that of this command, by an abort; its count means nothing."""
        seen = self.completion()
        if seen is None or (seen.tag, seen.code) != (tag, ERROR_OPERATION_ABORTED):
            raise ConformanceFailure(f"the server did not see command {tag} end with ERROR_OPERATION_ABORTED")

    def all_aborted(self, tags: Collection[int]) -> None:
        """Fail the check unless each of these commands ends, or has ended, by an abort; in whatever order."""
        self.all_ended(tags, ERROR_OPERATION_ABORTED)

    def all_ended(self, tags: Collection[int], *permitted: int) -> set[int]:
        """Fail the check unless each of these commands ends, or has ended, with one of these codes; give their codes.

        They may end in whatever order.
        """
        missing = set(tags) - {seen.tag for seen in self._seen}
        while missing:
            if (completion := self.completion()) is None:
                raise ConformanceFailure(f"the server did not see commands {sorted(missing)} end")
            missing.discard(completion.tag)
        codes = {seen.code for seen in self._seen if seen.tag in tags}
        if others := sorted(map(completion_name, codes - set(permitted))):
            wanted = tuple(map(completion_name, permitted))
            sentence = f"commands ended with {', '.join(others)} instead of {' or '.join(wanted)}"
            raise ConformanceFailure(sentence, wanted, others[0])
        return codes

    def dropped(self, tags: Collection[int]) -> None:
        """Fail the check unless VDI ends each of these commands with ERROR_IO_DEVICE; nobody is to fetch them."""
        self.all_ended(tags, ERROR_IO_DEVICE)
        self._dropped.update(tags)

    def completed(self, tag: int, code: int, bytes_transferred: int, position: int | None = None) -> None:
        """Fail the check unless the next completion is this one."""
        self._require_completion(self.completion(), tag, code, bytes_transferred, position)

    def all_completed(self, sizes: Mapping[int, int]) -> None:
        """Fail the check unless the next completions are those of these commands, in whatever order.

        Each is one of success, and of as many bytes as stand behind its tag.
        """
        left = dict(sizes)
        while left:
            seen = self.completion()
            tag = seen.tag if seen is not None and seen.tag in left else next(iter(left))
            self._require_completion(seen, tag, ERROR_SUCCESS, left.pop(tag))

    def _require_completion(
        self, seen: CompletionRecord | None, tag: int, code: int, bytes_transferred: int, position: int | None = None
    ) -> None:
        if seen is None:
            raise ConformanceFailure(
                f"the completion of command {tag} did not reach the server{SLOW}", by=COMPLETE_COMMAND
            )
        wanted = (tag, code, bytes_transferred) + (() if position is None else (position,))
        found = (seen.tag, seen.code, seen.bytes_transferred, int(seen.position, 16))[: len(wanted)]
        if found != wanted:
            raise ConformanceFailure(
                f"the server saw {_shown(*found)} instead of {_shown(*wanted)}", (_shown(*wanted),), _shown(*found)
            )

    def signal_abort(self) -> None:
        """Abort from the server's side."""
        self.aborted = True
        self.server.signal_abort().expect(NOERROR)

    def close_device(self, device: int) -> None:
        """Close one device, so that its GetCommand gives VD_E_CLOSE."""
        self.server.close_device(self.device_names[device]).expect(NOERROR)

    def kill(self) -> None:
        """End the server's process at once, as a crash does, and see it gone."""
        self._killed = True
        self.server.kill()

    def check_completions(self) -> None:
        """Hold the suite-wide invariant: what the server sees is what was accepted, once, or VDI's own (CMP-20)."""
        if self._killed:
            return
        handed_out = {name: [tag for tag in tags if tag not in self._dropped] for name, tags in self._sent.items()}
        accepted = {
            handed_out[device.name][one.ordinal]: one
            for device in self.devices
            for one in device.accepted
            if one.ordinal is not None and one.ordinal < len(handed_out[device.name])
        }
        awaited = set(accepted) - self.tolerated
        while not awaited <= {seen.tag for seen in self._seen} and not self.aborted:
            if self.completion() is None:
                missing = sorted(awaited - {seen.tag for seen in self._seen})
                raise MandatoryBroken(
                    f"accepted completions of commands {missing} never reached the server{SLOW}", by="CMP-20"
                )
        while self.completion(timeout=0) is not None:
            pass
        sent = {tag for tags in self._sent.values() for tag in tags}
        if refused := sorted({one.tag for one in self._seen if one.tag in sent and one.thread_of_sender}):
            raise MandatoryBroken(
                f"the server saw commands refused by SendCommand that it had taken: tags {refused}", by="CMP-20"
            )
        # SendCommand reports what it refuses to the completion routine as well, before it returns.
        seen = [one for one in self._seen if one.tag in sent or not one.thread_of_sender]
        tags = [one.tag for one in seen]
        if len(set(tags)) != len(tags):
            raise MandatoryBroken(f"the server saw a command completed more than once: tags {tags}", by="CMP-20")
        if unknown := sorted(set(tags) - sent):
            raise MandatoryBroken(f"the server saw commands completed that it never sent: tags {unknown}", by="CMP-20")
        for one in seen:
            if one.tag not in self.tolerated:
                _check_one(one, accepted.get(one.tag))


def _check_one(seen: CompletionRecord, accepted: Accepted | None) -> None:
    if seen.code in VDI_OWN_CODES:
        return
    if accepted is None:
        raise MandatoryBroken(
            f"the server saw command {seen.tag} completed with {completion_name(seen.code)}, nobody completed it",
            by="CMP-20",
        )
    if (seen.code, seen.bytes_transferred) != (accepted.completion_code, accepted.bytes_transferred):
        raise MandatoryBroken(
            f"command {seen.tag} was completed with {completion_name(accepted.completion_code)} and "
            f"{accepted.bytes_transferred} bytes, the server saw {completion_name(seen.code)} and "
            f"{seen.bytes_transferred} bytes",
            by="CMP-20",
        )


def _shown(tag: int, code: int, bytes_transferred: int, position: int | None = None) -> str:
    text = f"command {tag} with {completion_name(code)} and {bytes_transferred} bytes"
    return text if position is None else f"{text} at position {position:#x}"
