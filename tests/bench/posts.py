"""A scheduler on loopback that only says yes, and raw httpx, posting to it: the floor of an apply.

python -m tests.bench.posts serve [SECONDS]              prints its url; each answer takes SECONDS
python -m tests.bench.posts send URL POSTS THREADS       a connection a post, as the reconciler has it
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SAID = b'{"data":true,"success":true,"code":"200","errorMsg":null,"detailErrorMsg":null,"traceId":"fbb0.188.1"}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(
    _SAID
)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
        await reader.readexactly(int(length))
        if seconds:
            await asyncio.sleep(seconds)
        writer.write(_ANSWER + _SAID)
        await writer.drain()
    finally:
        writer.close()


async def _serve(seconds: float) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: _answer(reader, writer, seconds), "127.0.0.1", 0, backlog=512
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


@contextmanager
def serving(seconds: float = 0.0) -> Iterator[str]:
    """Run the scheduler as a process of its own; yields its url."""
    command = [sys.executable, "-m", "tests.bench.posts", "serve", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def send(url: str, posts: int, threads: int) -> None:
    """Post so often, from so many threads, through one client that keeps no connection."""
    from concurrent.futures import ThreadPoolExecutor

    import httpx

    body = {"tableName": "catalog.bench.table", "tenantId": "tn", "scheduleTimes": ["2026-01-01 00:00:00"]}
    headers = {"accept-encoding": "identity", "auth-type": "UID", "auth-value": "bench"}
    limits = httpx.Limits(max_keepalive_connections=0)
    with (
        httpx.Client(limits=limits, trust_env=False, verify=False, headers=headers) as client,  # noqa: S501  (http)
        ThreadPoolExecutor(threads) as pool,
    ):
        answers = pool.map(lambda _: client.post(f"{url}/scheduleTime", json=body).json()["success"], range(posts))
        if not all(answers):
            raise RuntimeError("a post was not accepted")


def main(what: str, *rest: str) -> None:
    """Do what is asked."""
    if what == "serve":
        asyncio.run(_serve(float(rest[0]) if rest else 0.0))
    else:
        send(rest[0], int(rest[1]), int(rest[2]))


if __name__ == "__main__":
    main(*sys.argv[1:])
