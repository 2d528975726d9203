"""What a client can take of the service: how long a request may be, how long its sending may take,
and how much of all requests is held at a time. All of it is looked at before anything is parsed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import HTTPException, Request
from uvicorn.protocols.http.h11_impl import H11Protocol

BYTES_AT_MOST = 2_000_000  # of one request
BYTES_IN_ALL = 64_000_000  # of the requests that are being sent or answered
SECONDS_AT_MOST = 10  # from the first byte of a request to its last
TOO_LONG = f"expected a request of at most {BYTES_AT_MOST:,} bytes, found more"
TOO_MANY = "expected fewer requests at a time. Next: send this one again in a second"


class Bodies:
    """The bodies of all requests at hand, and how many bytes they come to."""

    def __init__(self) -> None:
        self.bytes = 0

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request, which counts among the bytes at hand until the block ends.

        Raises:
            HTTPException: it is too long (413) or no JSON (422), there is too much at hand (503),
                or its sender has gone (400).
        """
        _require_json(request)
        body, more = bytearray(), True
        try:
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise HTTPException(400, "expected a whole request, found a part")
                part, more = message.get("body", b""), message.get("more_body", False)
                body += part
                self.bytes += len(part)
                if len(body) > BYTES_AT_MOST:
                    raise _hang_up(413, TOO_LONG)
                if self.bytes > BYTES_IN_ALL:
                    raise _hang_up(503, TOO_MANY)
            yield bytes(body)
        finally:
            self.bytes -= len(body)


def _require_json(request: Request) -> None:
    """Raise HTTPException where the head of a request says that it is too long, or no JSON."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > BYTES_AT_MOST:
        raise _hang_up(413, TOO_LONG)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        message = "Input should be of the type application/json"
        place = ["header", "content-type"]
        raise HTTPException(422, [{"loc": place, "msg": message, "type": "content_type"}])


def _hang_up(status: int, message: str) -> HTTPException:
    """An answer after which the connection is closed, so that the rest is never received."""
    return HTTPException(status, message, {"connection": "close"})


class Impatient(H11Protocol):
    """HTTP/1.1 for clients that send a request in time; uvicorn itself waits for ever."""

    _drop: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._drop = self.loop.call_later(SECONDS_AT_MOST, self.transport.close)

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a request, or no more where it is complete."""
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and not cycle.more_body and not cycle.response_complete:
            self._stop_waiting()
        elif self._drop is None:
            self._drop = self.loop.call_later(SECONDS_AT_MOST, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._drop is not None:
            self._drop.cancel()
            self._drop = None
