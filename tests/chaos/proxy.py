"""A TCP proxy that can be told to misbehave, as a process of its own.

    proxy.py HOST:PORT...       a door to each of them; prints the ports of the doors

Then it obeys lines: the number of a door, from 0 on, and how it is from now on:

    0 pass              what was held goes on
    0 slow SECONDS      everything takes so much longer, each way
    0 hold              nothing passes, and nothing is lost: as a cable that is put back later
    0 refuse            connections are reset, those that are open and those that come
    0 cut BYTES         connections are reset once so much has come back over them
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from contextlib import suppress

CHUNK = 65536


class Door:
    """What stands before one server."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = host, port
        self._mode, self._number = "pass", 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self._passes = asyncio.Event()
        self._passes.set()

    def set(self, mode: str, number: float) -> None:
        self._mode, self._number = mode, number
        if mode == "hold":
            self._passes.clear()
        else:
            self._passes.set()
        if mode == "refuse":
            for writer in list(self._open):
                reset(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._open.add(writer)
        try:
            if self._mode == "refuse":
                return
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._upstream)
            pumps = [
                asyncio.ensure_future(self._pump(reader, upstream_writer, None)),
                asyncio.ensure_future(self._pump(upstream_reader, writer, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                upstream_writer.transport.abort()
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            reset(writer)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cut: asyncio.StreamWriter | None,
    ) -> None:
        passed = 0
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._passes.wait()
                if self._mode == "slow":
                    await asyncio.sleep(self._number)
                if self._mode == "cut" and cut is not None:
                    data = data[: max(0, int(self._number) - passed)]
                    passed += len(data)
                writer.write(data)
                await writer.drain()
                if self._mode == "cut" and cut is not None and passed >= self._number:
                    return


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection by RST, as one that was lost."""
    end = writer.get_extra_info("socket")
    if end is not None:
        with suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main(upstreams: list[str]) -> None:
    doors, ports = [], []
    for upstream in upstreams:
        host, _, port = upstream.rpartition(":")
        doors.append(Door(host, int(port)))
        server = await asyncio.start_server(doors[-1].serve, "127.0.0.1", 0)
        ports.append(str(server.sockets[0].getsockname()[1]))
    print(*ports, flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    # Until whoever started it is gone.
    while line := await lines.readline():
        number, mode, *rest = line.decode().split()
        doors[int(number)].set(mode, float(rest[0]) if rest else 0.0)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
