"""A scheduler that does nothing but answer, so that a bench measures who calls and not who is called.

python -m tests.bench.answering THREADS SECONDS
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

_BODY = b'{"success":true,"code":"200","data":true,"errorMsg":null,"traceId":"0123456789abcdef"}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(_BODY)
    + _BODY
)
_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


def _serve(listener: socket.socket, seconds: float) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            if _read(connection):
                time.sleep(seconds)
                connection.sendall(_ANSWER)


def _read(connection: socket.socket) -> bool:
    """Read one request to its end; False where there is none."""
    data = b""
    while part := connection.recv(65_536):
        data += part
        head, end, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and len(body) >= (int(length[1]) if length else 0):
            return True
    return False


def main(threads: int = 16, seconds: float = 0.0) -> None:
    """Answer each request after `seconds`, as many at once as there are threads; the port is printed first."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    for _ in range(threads - 1):
        Thread(target=_serve, args=(listener, seconds), daemon=True).start()
    _serve(listener, seconds)


@contextmanager
def answering(threads: int = 16, seconds: float = 0.0) -> Iterator[str]:
    """Run it as a process of its own; yields its url."""
    command = [sys.executable, "-m", "tests.bench.answering", str(threads), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
