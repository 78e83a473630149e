"""A TCP connection to a server that can be slow, cut off or closed."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_CHUNK: Final = 16_384


class FaultyLink:
    """Passes connections on to a server; faults are switched on by its attributes.

    Attributes
    ----------
    address
        ``host:port``, to be used in place of the server's.
    cuts
        After how many bytes of answers each of the next connections breaks off.
    dies_after
        After how many bytes of answers, of all connections together, the server dies: all
        connections break off, and there are no others.
    bytes_per_second
        How fast answers arrive; None means as fast as possible.
    connections
        How many there were.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts: list[int] = []
        self.dies_after: int | None = None
        self.bytes_per_second: int | None = None
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        # A thread that waits in accept() is not woken by close() alone.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                limit = self.cuts.pop(0) if self.cuts else None
                threading.Thread(target=self._serve, args=(client, limit), daemon=True).start()

    def _serve(self, client: socket.socket, limit: int | None) -> None:
        with client, suppress(OSError), socket.create_connection(self._target) as server:
            threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
            passed = 0
            while limit is None or passed < limit:
                size = _CHUNK if limit is None else min(_CHUNK, limit - passed)
                data = server.recv(size)
                if not data:
                    return
                client.sendall(data)
                passed += len(data)
                if self.dies_after is not None:
                    self.dies_after -= len(data)
                    if self.dies_after <= 0:
                        self.close()
                        break
                if self.bytes_per_second is not None:
                    time.sleep(len(data) / self.bytes_per_second)
            client.shutdown(socket.SHUT_RDWR)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)


@contextmanager
def faulty_link(host: str, port: int) -> Iterator[FaultyLink]:
    """Open a link to a server, without faults at first."""
    link = FaultyLink(host, port)
    try:
        yield link
    finally:
        link.close()
