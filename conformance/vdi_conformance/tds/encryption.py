"""TLS without a socket: what goes into it, and what comes out of it."""

from __future__ import annotations

import ssl
import threading
from typing import Final

from vdi_conformance.tds.malformed import Malformed

UNTRUSTED: Final = ", as it does where it does not trust the certificate: give it that, or TrustServerCertificate=yes"
"""How a sentence ends that is about a handshake which the client gave up."""
_CHUNK: Final = 65536


class ServerTls:
    """The server's side of one TLS connection, which one thread may write to while another one reads from it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        # OpenSSL's connections are for one thread at a time.
        self._lock = threading.Lock()

    def shake_hands(self, received: bytes) -> tuple[bytes, bool]:
        """Take a part of the handshake; give what the client has to be sent, and whether it is over."""
        self._incoming.write(received)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return self._outgoing.read(), False
        except ssl.SSLError as error:
            reason = error.reason or str(error)
            told = f"the client ended the TLS handshake ({reason}){UNTRUSTED}" if "ALERT" in reason else reason
            raise Malformed(f"TLS cannot begin: {told}") from error
        return self._outgoing.read(), True

    def decrypt(self, received: bytes) -> bytes:
        """Give what can be read now, which may be nothing."""
        with self._lock:
            self._incoming.write(received)
            read = bytearray()
            try:
                while part := self._tls.read(_CHUNK):
                    read += part
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                pass
            except ssl.SSLError as error:
                raise Malformed(f"what came is not the TLS that was agreed on ({error.reason or error})") from error
            return bytes(read)

    def encrypt(self, content: bytes) -> bytes:
        """Give what has to be sent for this."""
        with self._lock:
            self._tls.write(content)
            return self._outgoing.read()

    def unread(self) -> bytes:
        """Give what was received after the last record, when TLS ends before the connection does."""
        return self._incoming.read()
