"""An oracle for cron expressions: plain date arithmetic, one value and one day at a time. And expressions to try."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
DAY = timedelta(days=1)


def value_fits(text: str, value: int, low: int, high: int, names: tuple[str, ...] = ()) -> bool:
    """Say whether a field without `L`, `W`, `#` and `?` holds a value."""
    return any(_item_fits(item, value, low, high, names) for item in text.upper().split(","))


def _item_fits(item: str, value: int, low: int, high: int, names: tuple[str, ...]) -> bool:
    span, _, step = item.partition("/")
    first, _, last = span.partition("-")
    if first in ("*", ""):
        return (value - low) % int(step or 1) == 0
    start = names.index(first) + low if first in names else int(first)
    if not last and not step:
        return value == start
    end = names.index(last) + low if last in names else int(last or high)
    size = high - low + 1
    gone = (value - start) % size  # a range that runs backwards goes around the end
    return gone <= (end - start) % size and gone % int(step or 1) == 0


def quartz_day(day: date, of_month: str, month: str, of_week: str) -> bool:
    """Say whether a day fits the day fields of a Quartz expression. Source: Quartz's CronTrigger tutorial."""
    if not value_fits(month, day.month, 1, 12, MONTHS):
        return False
    return _fits_month(day, of_month.upper()) if of_week == "?" else _fits_week(day, of_week.upper())


def unix_day(day: date, of_month: str, month: str, of_week: str) -> bool:
    """Say whether a day fits the day fields of a Unix cron expression. Source: crontab(5)."""
    weekday = day.isoweekday() % 7
    in_month = value_fits(of_month, day.day, 1, 31)
    in_week = any(value_fits(of_week, number, 0, 7, WEEKDAYS) for number in ((0, 7) if weekday == 0 else (weekday,)))
    both = in_month and in_week if "*" in (of_month, of_week) else in_month or in_week
    return both and value_fits(month, day.month, 1, 12, MONTHS)


def days_of(year: int) -> list[date]:
    """Return the days of a year."""
    return [date(year, 1, 1) + DAY * at for at in range((date(year, 12, 31) - date(year, 1, 1)).days + 1)]


def _last_of_month(day: date) -> date:
    while (day + DAY).month == day.month:
        day += DAY
    return day


def _fits_month(day: date, text: str) -> bool:
    last = _last_of_month(day)
    working = [each for at in range(31) if (each := last - DAY * at).month == day.month and each.weekday() < 5]
    if text == "LW":
        return day == max(working)
    if text.startswith("L-"):
        return day + DAY * int(text[2:]) == last
    if text.endswith("W"):
        wanted = day.replace(day=int(text[:-1]))
        return day == min(working, key=lambda each: abs(each - wanted))
    items = text.split(",")
    plain = ",".join(item for item in items if item != "L")
    return ("L" in items and day == last) or (plain != "" and value_fits(plain, day.day, 1, 31))


def _fits_week(day: date, text: str) -> bool:
    number = day.isoweekday() % 7 + 1
    if text == "L":
        return number == 7
    if text.endswith("L"):
        return value_fits(text[:-1], number, 1, 7, WEEKDAYS) and (day + 7 * DAY).month != day.month
    weekday, _, nth = text.partition("#")
    return value_fits(weekday, number, 1, 7, WEEKDAYS) and (not nth or (day.day - 1) // 7 + 1 == int(nth))


def quartz_field(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Return texts of a Quartz field: values, ranges that may run backwards, steps, lists, names in any case."""
    number = st.integers(low, high).map(str)
    step = st.integers(1, min(high, 59)).map(str)
    items = [
        number,
        st.builds("{}-{}".format, number, number),
        st.builds("{}/{}".format, number, step),
        st.builds("{}-{}/{}".format, number, number, step),
        st.builds("*/{}".format, step),
        st.builds("/{}".format, step),
    ]
    if names:
        name = st.sampled_from([*names, *(each.lower() for each in names), *(each.title() for each in names)])
        items += [name, st.builds("{}-{}".format, name, name)]
    return st.just("*") | st.lists(st.one_of(items), min_size=1, max_size=3).map(",".join)


def unix_field(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Return texts of a Unix cron field: ranges run forwards, a step follows a range or `*`."""
    pair = st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted)
    step = st.integers(1, high).map(str)
    span = pair.map("{0[0]}-{0[1]}".format)
    items = [st.integers(low, high).map(str), span, st.builds("{}/{}".format, span, step)]
    items += [st.sampled_from(names).map(str.lower)] if names else []
    stars = st.builds("*/{}".format, step)
    return st.just("*") | stars | st.lists(st.one_of(items), min_size=1, max_size=3).map(",".join)


def quartz_days() -> st.SearchStrategy[tuple[str, str, str]]:
    """Return the three day fields of Quartz expressions."""
    name = st.sampled_from(["1", "7", *WEEKDAYS, *(each.lower() for each in WEEKDAYS)])
    plain = quartz_field(1, 31)
    of_month = st.one_of(
        plain,
        st.sampled_from(["L", "LW", "lw", "l"]),
        st.integers(0, 27).map("L-{}".format),
        st.integers(1, 28).map("{}W".format),
        plain.filter(lambda text: text != "*").map("{},L".format),
    )
    of_week = st.one_of(
        quartz_field(1, 7, WEEKDAYS),
        st.just("L"),
        name.map("{}L".format),
        st.builds("{}#{}".format, name, st.integers(1, 5)),
    )
    months = st.just("*") | quartz_field(1, 12, MONTHS)
    return st.one_of(
        st.tuples(of_month, months, st.just("?")),
        st.tuples(st.just("?"), months, of_week),
    )


def unix_days() -> st.SearchStrategy[tuple[str, str, str]]:
    """Return the three day fields of Unix cron expressions."""
    return st.tuples(unix_field(1, 31), st.just("*") | unix_field(1, 12, MONTHS), unix_field(0, 7, WEEKDAYS))
