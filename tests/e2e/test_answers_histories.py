"""Whatever is done to a clone, and in whatever order: a plan says what a process says that has none kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import Failure
from tests.e2e.answers import file_of, settle
from tests.e2e.counting import Counting
from tests.e2e.manifests import ORDERS, backfill, between, text_of
from tests.e2e.nursery import Nursery
from tests.e2e.test_answers import _journal
from tests.e2e.workplace import STATE, Workplace
from tests.figures import Tried


def _edit(last: int) -> Callable[[Workplace], object]:
    return lambda place: place.write("orders.yaml", text_of(backfill("orders", between(1, last), table=ORDERS)))


def _by_another(place: Workplace) -> None:
    shutil.rmtree(place.top.parent / "other", ignore_errors=True)
    place.clone("other").apply()


def _no_journal(place: Workplace) -> None:
    for path in place.journals():
        path.unlink()


def _exclude(place: Workplace) -> None:
    (place.top / ".git" / "info").mkdir(exist_ok=True)
    (place.top / ".git" / "info" / "exclude").write_text("hidden.yaml\n")
    place.write("hidden.yaml", text_of(backfill("hidden", between(1, 2), table="sales.hidden")))


_STEPS: dict[str, Callable[[Workplace], object]] = {
    "nothing": Workplace.journals,
    "edit": _edit(5),
    "edit otherwise": _edit(7),
    "commit": lambda place: place.commit(),
    "publish": lambda place: place.publish(),
    "revert": lambda place: place.git("reset", "-q", "--hard", "HEAD~1"),
    "soft revert": lambda place: place.git("reset", "-q", "--soft", "HEAD~1"),
    "untracked": lambda place: place.write("new.yaml", text_of(backfill("new", between(3, 4), table="sales.new"))),
    "untracked gone": lambda place: (place.base / "new.yaml").unlink(missing_ok=True),
    "ignored": _exclude,
    "ignored gone": lambda place: (place.base / "hidden.yaml").unlink(missing_ok=True),
    "applied here": lambda place: place.apply(),
    "applied elsewhere": _by_another,
    "journal": _journal,
    "no journal": _no_journal,
    "config": lambda place: place.configure("http://127.0.0.1:1"),
    "setting": lambda place: place.git("config", "reconciler.remote", "origin"),
    "no setting": lambda place: place.git("config", "--unset-all", "reconciler.remote"),
    "state fetched": lambda place: place.git("fetch", "-q", "origin", f"+{STATE}:{STATE}"),
    "branch": lambda place: place.git("checkout", "-q", "-B", "side"),
}
_STEP = st.sampled_from(sorted(_STEPS)) | st.just("nothing")
_OPTIONS = st.sampled_from([(), (), (), ("--format", "json"), ("--exit-code",)])


def _do(place: Workplace, step: str) -> None:
    with suppress(AssertionError, Failure):  # git refuses some steps after others, and a journal is there once
        _STEPS[step](place)


@pytest.mark.claim("a plan with answers kept is byte for byte the plan without")
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(_STEP, _OPTIONS, st.booleans()), min_size=4, max_size=8))
def test_a_plan_with_answers_kept_is_the_plan_without(
    steps: list[tuple[str, tuple[str, ...], bool]],
    tmp_path_factory: pytest.TempPathFactory,
    nursery: Nursery,
    scheduler: Counting,
    tried: Tried,
) -> None:
    place = Workplace.make(tmp_path_factory.mktemp("history"), nursery, scheduler.url)
    place.declare("fact.yaml", backfill("fact", between(1, 5)))
    for step, options, older in steps:
        _do(place, step)
        settle()
        kept = place.run("plan", *options)
        file = file_of(place)
        aside = file.rename(file.with_name("aside")) if file.exists() else None
        assert kept == place.run("plan", *options), step
        if aside is not None and older:
            aside.rename(file)  # the next step meets an answer of an earlier one
    tried(len(steps))
