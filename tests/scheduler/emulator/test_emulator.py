"""The emulator as an object: what it keeps, how it stops, what it says, and what keeps it from starting."""

from __future__ import annotations

import http.client
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.errors import Failure
from reconciler.scheduler.emulator import Arrival, Database, Emulator, Fault, Faults
from tests.scheduler.emulator.caller import HEADERS, TABLE, TIMES, Caller


@pytest.mark.parametrize("in_file", [True, False])
def test_calls_of_sixteen_threads_add_up(tmp_path: Path, in_file: bool) -> None:
    with Emulator(tmp_path / "scheduler.db" if in_file else None) as emulator:
        caller = Caller(emulator)
        with ThreadPoolExecutor(16) as pool:
            answers = list(
                pool.map(lambda n: caller.range("2026-01-20 00:00:00", f"2026-01-20 {n % 4:02d}:00:00"), range(64))
            )
        assert all(answer.envelope["data"] is True for answer in answers)
        assert len({answer.envelope["traceId"] for answer in answers}) == 64
        assert [row.runs for row in emulator.database.instances(TABLE)] == [64, 48, 32, 16]
        assert len(emulator.database.calls()) == 64


def test_counts_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.db"
    for runs in (1, 2, 3):
        with Emulator(path) as emulator:
            Caller(emulator).times("2026-01-20 00:00:00")
            assert emulator.database.runs(TABLE, "2026-01-20 00:00:00") == runs
    assert [entry.name for entry in tmp_path.iterdir()] == ["scheduler.db"]


def test_two_emulators_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.db"
    with Emulator(path) as one, Emulator(path) as other, ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda n: Caller((one, other)[n % 2]).times("2026-01-20 00:00:00"), range(32)),
        )
        assert one.database.runs(TABLE, "2026-01-20 00:00:00") == 32


def test_a_new_file_opened_by_many_at_once_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.db"

    def use(_: int) -> None:
        Database(path).close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(use, range(64)))


def _another_program(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE customers (name TEXT)")
    connection.close()


def _a_later_version(path: Path) -> None:
    Database(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_another_program, "it is another program's database"),
        (_a_later_version, "its version is 2, this emulator reads 1"),
        (lambda path: path.write_text("apiVersion: reconciler/v1\n" * 100), "file is not a database"),
        (lambda path: path.mkdir(), "unable to open database file"),
    ],
)
def test_a_file_that_is_not_the_emulators_is_refused_and_left_alone(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / "scheduler.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(Failure, match=reason) as caught, Emulator(path):
        pass
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_port_in_use_is_said_with_a_way_out() -> None:
    with Emulator(None) as emulator:
        port = urlsplit(emulator.url).port or 0
        with pytest.raises(Failure, match=f"127.0.0.1 port {port}: Address already in use") as caught:
            Emulator(None, port=port).__enter__()
        assert "port 0" in caught.value.hint


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99999), ("192.0.2.1", 0)])
def test_an_address_that_cannot_be_had_is_said(host: str, port: int) -> None:
    with pytest.raises(Failure, match=f"cannot listen on {host} port {port}"), Emulator(None, host=host, port=port):
        pass


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_other_loopback_addresses_serve_too(host: str) -> None:
    try:
        emulator = Emulator(None, host=host).__enter__()
    except Failure as failure:
        pytest.skip(failure.message)
    try:
        assert Caller(emulator).times("2026-01-20 00:00:00").envelope["data"] is True
    finally:
        emulator.__exit__(None, None, None)


@pytest.mark.parametrize("settings", [{"every": 0}, {"latency": -1.0}, {"tenant": ""}, {"tenant": "t" * 33}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        Emulator(None, **settings)  # type: ignore[arg-type]


def test_it_serves_inside_its_with_block_only() -> None:
    emulator = Emulator(None)
    for _ in range(2):
        with emulator:
            assert Caller(emulator).times("2026-01-20 00:00:00").status == 200
            with pytest.raises(RuntimeError, match="entered already"):
                emulator.__enter__()
            host = urlsplit(emulator.url).netloc
        with pytest.raises(RuntimeError, match="inside its with block"):
            emulator.database.calls()
        connection = http.client.HTTPConnection(host, timeout=5)
        with pytest.raises(ConnectionRefusedError):
            connection.request("GET", "/")
        connection.close()


def test_stopping_does_not_wait_for_idle_connections_or_late_answers() -> None:
    late = Faults(lambda _: Fault.LATE, late=60)
    threads = threading.active_count()
    with Emulator(None, faults=late) as emulator, ThreadPoolExecutor(1) as pool:
        url = urlsplit(emulator.url)
        idle = socket.create_connection((url.hostname or "", url.port or 0), timeout=20)
        waiting = pool.submit(Caller(emulator).times, "2026-01-20 00:00:00")
        while not emulator.database.calls():
            time.sleep(0.01)
        since = time.monotonic()
        emulator.__exit__(None, None, None)
        assert time.monotonic() - since < 2
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            waiting.result(20)
        assert idle.recv(1) == b""
        idle.close()
    assert threading.active_count() == threads


def test_latency_passes_before_a_call_runs() -> None:
    with Emulator(None, latency=0.2) as emulator:
        since = time.monotonic()
        Caller(emulator).times("2026-01-20 00:00:00")
        assert time.monotonic() - since >= 0.2


def test_each_call_is_told_in_one_plain_line(capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    with Emulator(None, on_call=lines.append) as emulator:
        caller = Caller(emulator)
        caller.range("2026-01-20 01:00:00", "2026-01-20 05:00:00")
        caller.times("tomorrow")
        caller.send("POST", TIMES, b"{}", {})
        caller.send("POST", "/elsewhere", b"{}")
        caller.send("GET", "/")
    assert [line.split(" ", 1)[1] for line in lines] == [
        f"scheduleTimeRange {TABLE} 5 instances triggered",
        "scheduleTime - 0 instances rejected: scheduleTimes[0] is not written as yyyy-MM-dd HH:mm:ss",
        "scheduleTime - 0 instances refused 401: tenant-id is missing",
        "'POST' - 0 instances refused 404: '/elsewhere' does not exist",
    ]
    assert HEADERS["auth-value"] not in "".join(lines)
    assert capfd.readouterr() == ("", "")


def test_what_a_handler_did_not_expect_is_raised_on_leaving() -> None:
    def decide(_: Arrival) -> Fault | None:
        raise ZeroDivisionError

    emulator = Emulator(None, faults=Faults(decide)).__enter__()
    with pytest.raises(http.client.RemoteDisconnected):
        Caller(emulator).times("2026-01-20 00:00:00")
    with pytest.raises(ZeroDivisionError):
        emulator.__exit__(None, None, None)


def test_a_database_that_fails_gives_500_and_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.db"
    with Emulator(path) as emulator:
        breaker = sqlite3.connect(path)
        breaker.execute("CREATE TRIGGER full BEFORE INSERT ON instances BEGIN SELECT raise(FAIL, 'disk is full'); END")
        breaker.close()
        answer = Caller(emulator).times("2026-01-20 00:00:00")
        assert (answer.status, answer.envelope["errorMsg"]) == (
            500,
            "the emulator's database failed: disk is full",
        )
        assert emulator.database.calls() == ()


def test_a_large_range_is_one_transaction(tmp_path: Path) -> None:
    with Emulator(tmp_path / "scheduler.db", every=60) as emulator:
        Caller(emulator).range("2026-01-01 00:00:00", "2026-03-01 00:00:00")
        assert emulator.database.calls()[0].instances == len(emulator.database.instances()) == 59 * 1440 + 1


def test_an_interrupt_ends_serving_in_the_foreground() -> None:
    code = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits none\n"
        "from reconciler.scheduler.emulator import Emulator\n"
        "with Emulator(None) as emulator:\n"
        "    try:\n"
        "        print(emulator.url, flush=True)\n"
        "        emulator.serve_forever()\n"
        "    except KeyboardInterrupt:\n"
        "        print('stopped')\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        try:
            assert process.communicate(timeout=10) == ("stopped\n", "")
        finally:
            process.kill()
        assert process.returncode == 0
