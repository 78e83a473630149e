"""A connection that is kept open: asynchronous HTTP/1.1 for measurements.

It costs the measuring process a tenth of a millisecond per request. A general client needs as long
as the service itself, on the same machine.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Self


class Connection:
    """One connection to a server on this machine, for one request at a time.

    Parameters
    ----------
    reader, writer
        The two directions of the connection.
    host : str
        The value of the header `Host`.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
    ) -> None:
        self._reader, self._writer, self._host = reader, writer, host

    @classmethod
    async def open(cls, host: str) -> Self:
        """Connect to an address of the form `address:port`.

        Raises
        ------
        OSError
            The server does not accept the connection.
        """
        address, _, port = host.rpartition(":")
        reader, writer = await asyncio.open_connection(address, int(port))
        return cls(reader, writer, host)

    async def exchange(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Send a request, and return the status and the body of the answer.

        Raises
        ------
        OSError, asyncio.IncompleteReadError
            The server closed the connection before the answer was complete.
        """
        fields = {"host": self._host, "content-length": str(len(body)), **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        await self._writer.drain()
        first, *rest = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        answered = dict(line.lower().split(": ", 1) for line in rest if line)
        if answered.get("transfer-encoding") == "chunked":
            return int(first.split()[1]), await self._read_chunks()
        length = int(answered.get("content-length", 0))
        return int(first.split()[1]), await self._reader.readexactly(length)

    async def _read_chunks(self) -> bytes:
        chunks = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            chunks.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readuntil(b"\r\n")
        return b"".join(chunks)

    async def aclose(self) -> None:
        """Close the connection."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
