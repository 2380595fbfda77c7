"""One client's connection: a thread that runs its requests, and another one that reads on meanwhile."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING, Final

from vdi_conformance.tds.answers import FATAL, LoginRefused, Message
from vdi_conformance.tds.channel import TooLate
from vdi_conformance.tds.conversation import Conversation
from vdi_conformance.tds.inbox import Attention, Inbox
from vdi_conformance.tds.introduction import introduce, tell
from vdi_conformance.tds.malformed import Malformed
from vdi_conformance.tds.packets import PacketType
from vdi_conformance.tds.response import Response
from vdi_conformance.tds.tokens import Done, encode_done, encode_message
from vdi_conformance.untrusted.printable import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdi_conformance.tds.answers import Session
    from vdi_conformance.tds.channel import Channel
    from vdi_conformance.tds.introduction import Reception
    from vdi_conformance.tds.packets import ClientMessage

_LONGEST: Final = 500
"""Characters of what a client is told of an exception."""


class Connection:
    """A connection from its beginning to its end, which `run` is; `trouble` is told what a developer should know."""

    def __init__(self, channel: Channel, reception: Reception, trouble: Callable[[str], None]) -> None:
        self._channel = channel
        self._reception = reception
        self._trouble = trouble

    def run(self) -> None:
        """Serve the client until either side ends the connection."""
        try:
            self._run()
        except Malformed as malformed:
            self._trouble(f"A connection was ended: {malformed}.")
        except TooLate:
            seconds = self._reception.limits.seconds_to_log_in
            self._trouble(f"A connection was ended: no login had come after {seconds:g} seconds.")
        except (LoginRefused, OSError):
            # The client knows of its refusal, and whoever has hung up needs to know nothing.
            pass
        except Exception as error:
            self._failed(error)
        finally:
            self._channel.close()

    def end(self) -> None:
        """End the connection from another thread."""
        self._channel.end()

    def _run(self) -> None:
        try:
            session = introduce(self._channel, self._reception)
        except LoginRefused:
            self._channel.part(self._reception.limits.seconds_to_part)
            raise
        if session is None:
            return
        try:
            self._channel.take_time()
            self._channel.expect(self._reception.limits.request)
            _SessionInUse(self._channel, self._reception, session, self._trouble).run()
        finally:
            session.close()

    def _failed(self, error: Exception) -> None:
        """Tell of an exception of the service while nobody was logged in."""
        self._trouble(traceback.format_exc())
        try:
            tell(self._channel, self._reception.service.server_name, [_failure(error)])
            self._channel.part(self._reception.limits.seconds_to_part)
        except (OSError, TooLate):
            return


class _SessionInUse:
    """A session whose client has logged in."""

    def __init__(
        self, channel: Channel, reception: Reception, session: Session, trouble: Callable[[str], None]
    ) -> None:
        self._channel = channel
        self._reception = reception
        self._session = session
        self._trouble = trouble
        self._server = reception.service.server_name
        self._inbox = Inbox(self._cancel)
        self._malformed: Malformed | None = None

    @property
    def is_listening(self) -> bool:
        """Whether the client waits for what is sent."""
        return self._inbox.is_listening

    def send(self, data: bytes) -> None:
        """Send packets; a client that has gone wants no more."""
        try:
            self._channel.send(data)
        except OSError:
            self._inbox.close()

    def run(self) -> None:
        """Run requests until either side ends the session."""
        conversation = Conversation(self._session, self._inbox.started, self._server, self._reception.limits)
        reader = threading.Thread(target=self._read, name=f"{threading.current_thread().name} reader", daemon=True)
        reader.start()
        try:
            while (request := self._inbox.take()) is not None:
                if not self._answered(conversation, request):
                    break
            if self._malformed is not None:
                self._end_malformed(self._malformed)
        finally:
            self._inbox.close()
            # What was said last must not be lost because something is unread.
            self._channel.hush()
            reader.join(self._reception.limits.seconds_to_part)
            self._channel.end()
            reader.join()

    def _answered(self, conversation: Conversation, request: ClientMessage | Attention) -> bool:
        """Answer a request, and tell whether the connection goes on."""
        response = Response(self._channel.cutter, self)
        if isinstance(request, Attention):
            response.end(encode_done(Done.ATTENTION))
            return True
        try:
            return conversation.answer(request, response)
        except Malformed as malformed:
            self._end_malformed(malformed)
        except Exception as error:
            self._trouble(traceback.format_exc())
            self._end(_failure(error))
        finally:
            self._inbox.finished()
        return False

    def _end_malformed(self, malformed: Malformed) -> None:
        self._trouble(f"A connection was ended: {malformed}.")
        self._end(Message(4014, f"The session ends, since its input cannot be read: {malformed}.", FATAL))

    def _end(self, message: Message) -> None:
        """Tell of the error that the session ends with."""
        told = encode_message(message, self._server) + encode_done(Done.ERROR)
        Response(self._channel.cutter, self).end(told)

    def _read(self) -> None:
        """Read until the client hangs up or sends what cannot be read."""
        try:
            while (message := self._channel.receive()) is not None:
                if message.type is PacketType.ATTENTION:
                    self._inbox.attend()
                else:
                    self._inbox.put(message)
        except Malformed as malformed:
            self._malformed = malformed
        except OSError:
            pass
        finally:
            self._inbox.close()

    def _cancel(self) -> None:
        try:
            self._session.cancel()
        except Exception:
            self._trouble(traceback.format_exc())


def _failure(error: Exception) -> Message:
    told = shown(f"{type(error).__name__}: {error}", _LONGEST)
    return Message(3624, f"The server has failed in this request, and ends the connection ({told}).", FATAL)
