"""How many requests a service answers, and how soon: so many clients on loopback, each sending its
next request when it has its answer.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Load(NamedTuple):
    """Requests answered per second, milliseconds that half and 99 of 100 took at most, and
    milliseconds of the service's processor time for each.
    """

    rate: float
    p50: float
    p99: float
    cpu: float


def build_request(path: str, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nhost: loopback\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def _ask(port: int, requests: Sequence[bytes], until: float) -> list[float]:
    """Send one request after the other on one connection; how long each took, in seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    while (now := time.perf_counter()) < until:
        writer.write(requests[len(took) % len(requests)])
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(f"expected an answer, found {head.decode()}")
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        took.append(time.perf_counter() - now)
    writer.close()
    return took


async def _ask_all(
    port: int, requests: Sequence[bytes], clients: int, seconds: float
) -> list[float]:
    until = time.perf_counter() + seconds
    share = [requests[number::clients] for number in range(clients)]
    parts = await asyncio.gather(*(_ask(port, each, until) for each in share))
    return sorted(took for part in parts for took in part)


def read_cpu(pids: Sequence[int]) -> float:
    """Seconds of processor time that processes have taken."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(part[11]) + int(part[12]) for part in stats) / 100


def measure(
    port: int, pids: Sequence[int], requests: Sequence[bytes], clients: int, seconds: float
) -> Load:
    """Ask a service for so long; the answers of the first half second are not counted."""
    asyncio.run(_ask_all(port, requests, clients, 0.5))
    since, start = read_cpu(pids), time.perf_counter()
    took = asyncio.run(_ask_all(port, requests, clients, seconds))
    elapsed = time.perf_counter() - start
    cpu = read_cpu(pids) - since
    return Load(
        len(took) / elapsed,
        took[len(took) // 2] * 1000,
        took[len(took) * 99 // 100] * 1000,
        cpu / len(took) * 1000,
    )
