"""Faults: what each does on the wire and in the count, and that a seed gives the same ones again."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.call import Method
from reconciler.scheduler.emulator import NO_FAULTS, Arrival, Emulator, Fault, Faults, parse_faults
from tests.scheduler.emulator.caller import TABLE, Answer, Caller

AT = "2026-01-20 00:00:00"
ARRIVAL = Arrival(1, 1, Method.TIMES, "tn_1", TABLE, (0,), "digest")


def _with(fault: Fault) -> Emulator:
    return Emulator(None, faults=Faults(lambda _: fault, late=0.1))


def _told(emulator: Emulator) -> tuple[int, str]:
    """Return how often the instant ran, and the one call's answer."""
    (call,) = emulator.database.calls()
    assert call.instances == emulator.database.runs(TABLE, AT)
    return call.instances, call.answer


@pytest.mark.parametrize(("fault", "runs"), [(Fault.LOST, 1), (Fault.REFUSE, 0)])
def test_a_lost_call_ran_and_a_refused_one_did_not_and_neither_is_answered(fault: Fault, runs: int) -> None:
    with _with(fault) as emulator:
        with pytest.raises(http.client.RemoteDisconnected):
            Caller(emulator).times(AT)
        assert _told(emulator) == (runs, fault.value)


def test_half_an_answer_breaks_off_in_its_body_after_the_call_ran() -> None:
    with _with(Fault.HALF) as emulator:
        with pytest.raises(http.client.IncompleteRead) as caught:
            Caller(emulator).times(AT)
        assert caught.value.partial.startswith(b'{\n    "data": true')
        assert _told(emulator) == (1, "half")


@pytest.mark.parametrize(("fault", "runs"), [(Fault.ERROR, 0), (Fault.RAN_ERROR, 1)])
def test_an_error_says_nothing_of_whether_it_ran(fault: Fault, runs: int) -> None:
    with _with(fault) as emulator:
        answer = Caller(emulator).times(AT)
        assert (answer.status, answer.envelope["success"]) == (500, False)
        assert _told(emulator) == (runs, fault.value)


def test_a_rejection_is_the_documented_failure() -> None:
    with _with(Fault.REJECT) as emulator:
        answer = Caller(emulator).times(AT)
        assert (answer.status, answer.envelope["success"], answer.envelope["data"]) == (200, True, None)
        assert answer.envelope["errorMsg"] == "rejected on demand"
        assert _told(emulator) == (0, "reject")


def test_a_late_answer_is_a_good_one() -> None:
    with _with(Fault.LATE) as emulator:
        assert Caller(emulator).times(AT).envelope["data"] is True
        assert _told(emulator) == (1, "late")


def test_a_throttled_call_is_told_when_to_come_again() -> None:
    with _with(Fault.THROTTLE) as emulator:
        answer = Caller(emulator).times(AT)
        assert (answer.status, answer.headers["retry-after"], answer.envelope["code"]) == (429, "1", "429")
        assert _told(emulator) == (0, "throttle")


def test_a_callable_decides_by_what_it_sees() -> None:
    seen: list[Arrival] = []

    def decide(call: Arrival) -> Fault | None:
        seen.append(call)
        return Fault.REJECT if call.attempt == 1 else None

    with Emulator(None, faults=Faults(decide)) as emulator:
        caller = Caller(emulator)
        answers = [caller.times(AT), caller.times(AT), caller.times("2026-01-20 01:00:00"), caller.times("x")]
        assert [answer.envelope["data"] for answer in answers] == [None, True, None, None]
    assert [(call.number, call.attempt) for call in seen] == [(1, 1), (2, 2), (3, 1)]
    assert seen[0].digest == seen[1].digest != seen[2].digest
    assert (seen[0].table, seen[0].tenant, len(seen[0].instants)) == (TABLE, "tn_1", 1)


def test_a_callable_may_hold_one_call_while_others_run() -> None:
    reached, release = threading.Event(), threading.Event()

    def decide(call: Arrival) -> Fault | None:
        if call.table == "held":
            reached.set()
            assert release.wait(20)
        return None

    with Emulator(None, faults=Faults(decide)) as emulator, ThreadPoolExecutor(1) as pool:
        caller = Caller(emulator)
        held = pool.submit(caller.times, AT, table="held")
        assert reached.wait(20)
        caller.times(AT)
        assert [emulator.database.runs(table, AT) for table in ("held", TABLE)] == [0, 1]
        release.set()
        assert held.result(20).envelope["data"] is True
        assert emulator.database.runs("held", AT) == 1


def _statuses(seed: int, workers: int) -> list[tuple[int, str]]:
    faults = parse_faults("error=0.3,reject=0.3", seed)

    def outcome(answer: Answer) -> tuple[int, str]:
        return answer.status, str(answer.envelope["errorMsg"])

    with Emulator(None, faults=faults) as emulator, ThreadPoolExecutor(workers) as pool:
        caller = Caller(emulator)
        times = [f"2026-01-20 00:00:{second:02d}" for second in range(60)]
        return list(pool.map(lambda time: outcome(caller.times(time)), times))


def test_a_seed_gives_the_same_faults_whatever_the_concurrency() -> None:
    alone = _statuses(7, workers=1)
    assert alone == _statuses(7, workers=8)
    assert alone != _statuses(8, workers=1)
    assert set(alone) == {(200, "None"), (200, "rejected on demand"), (500, "internal error, made on demand")}


def test_a_call_that_failed_gets_another_draw_also_after_a_restart(tmp_path: Path) -> None:
    attempts: list[int] = []

    def decide(call: Arrival) -> Fault | None:
        attempts.append(call.attempt)
        return Fault.ERROR

    for _ in range(2):
        with Emulator(tmp_path / "scheduler.db", faults=Faults(decide)) as emulator:
            Caller(emulator).times(AT)
            Caller(emulator).times(AT)
    assert attempts == [1, 2, 3, 4]


def test_shares_are_met_over_many_calls() -> None:
    faults = parse_faults("lost=0.02, ran-error=0.2 ,late=.1:45s,", seed=1)
    drawn = Counter(faults.decide(replace(ARRIVAL, digest=str(n))) for n in range(20_000))
    shares = {fault: count / 20_000 for fault, count in drawn.items()}
    assert shares == pytest.approx({Fault.LOST: 0.02, Fault.RAN_ERROR: 0.2, Fault.LATE: 0.1, None: 0.68}, abs=0.01)
    assert faults.late == 45


def test_shares_may_add_up_to_all_calls() -> None:
    faults = parse_faults(",".join(f"{fault}=0.125" for fault in Fault))
    assert all(faults.decide(replace(ARRIVAL, attempt=n)) for n in range(1000))
    assert parse_faults("refuse=1").decide(ARRIVAL) is Fault.REFUSE


def test_no_text_is_no_fault() -> None:
    assert parse_faults("").decide(ARRIVAL) is None
    assert parse_faults("lost=0").decide(ARRIVAL) is None
    assert NO_FAULTS.decide(ARRIVAL) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("explode=0.1", "'explode' is none of lost, error, ran-error"),
        ("lost", "lost: '' is not a share"),
        ("lost=2", "lost: '2' is not a share"),
        ("lost=1.5", "lost: '1.5' is not a share"),
        ("lost=-0.1", "lost: '-0.1' is not a share"),
        ("lost=nan", "lost: 'nan' is not a share"),
        ("lost=1e-3", "lost: '1e-3' is not a share"),
        ("lost=٠", "lost: '٠' is not a share"),
        ("lost=0.1,lost=0.1", "lost is given twice"),
        ("lost=0.6,error=0.6", "add up to more than 1"),
        ("lost=0.1:3s", "lost: only late takes a duration"),
        ("late=0.1:soon", "late: 'soon' is not a duration"),
    ],
)
def test_text_that_is_no_fault_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_faults(text)
