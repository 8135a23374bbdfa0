"""The same windows told twice: as iCalendar to the agent, and as a person would to the oracle."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from agent.config.calendars.claims import Declared
from agent.config.calendars.expand import expand, horizon
from agent.config.calendars.read import CalendarFile, parse_calendar
from agent.core.policy.calendar import by_time, takes, unreadable
from agent.core.policy.judge import judge
from agent.core.state import State
from agent.model.calendar import Calendar, CalendarPurpose
from agent.model.change import Change, ChangeType
from agent.model.policy import Decision
from tests.calendars.oracle import Entry
from tests.core.gate import rule
from tests.core.play import ALLOW, CONFIG, Play

P = CalendarPurpose
NAME = "proof"
YEARS = {
    "Europe/Berlin": 2025,
    "America/New_York": 2025,
    "Australia/Sydney": 2025,
    "Australia/Lord_Howe": 2025,  # half an hour
    "Antarctica/Troll": 2025,  # two hours
    "Africa/Casablanca": 2025,  # back for Ramadan
    "Asia/Kathmandu": 2025,  # a quarter of an hour beside the others, and never set
    "Pacific/Chatham": 2025,  # likewise, and set at 02:45
    "America/Santiago": 2025,  # at midnight
    "America/Sao_Paulo": 2017,  # at midnight, on a day that was moved
    "Asia/Tehran": 2021,  # at midnight, and given up
    "Pacific/Apia": 2011,  # a day that never was
}
"""Twelve zones, each with two years in which something happens to its clock."""

TWO_YEARS = timedelta(days=731)


@dataclass(frozen=True)
class Told:
    """One entry, in both languages."""

    entry: Entry
    lines: tuple[str, ...]


def weekday(*days: int) -> tuple[str, ...]:
    """The names of days of the week, Monday first."""
    return tuple(("MO", "TU", "WE", "TH", "FR", "SA", "SU")[day] for day in days)


def recurring(
    zone: str,
    year: int,
    purpose: P,
    rule: str,
    entry: Entry,
    *,
    all_day: bool = False,
) -> Told:
    """An entry from the days before the span on; `rule` is what `entry.days` says."""
    first = date(year - 1, 12, 1)
    while not entry.days(first):
        first += timedelta(days=1)
    begin = datetime.combine(first, entry.begin)
    end = begin + entry.length
    seconds = int(entry.length.total_seconds())
    if all_day:
        times = (f"DTSTART;VALUE=DATE:{begin:%Y%m%d}", f"DTEND;VALUE=DATE:{end:%Y%m%d}")
    elif entry.ends_on_clock:
        times = (f"DTSTART;TZID={zone}:{_local(begin)}", f"DTEND;TZID={zone}:{_local(end)}")
    else:
        days, rest = divmod(seconds, 86_400)
        duration = f"P{days}DT{rest}S" if days else f"PT{rest}S"
        times = (f"DTSTART;TZID={zone}:{_local(begin)}", f"DURATION:{duration}")
    without = tuple(
        f"EXDATE;TZID={zone}:{_local(datetime.combine(day, entry.begin))}"
        for day in sorted(entry.without)
    )
    return Told(entry, (*times, f"RRULE:{rule}", *without, f"CATEGORIES:{purpose.upper()}"))


def everyday_life(zone: str, year: int) -> Iterator[tuple[P, Told]]:
    """Windows and freezes that overlap, touch, and lie where clocks are set."""
    nights = Entry(lambda d: d.weekday() in (1, 3), time(1, 30), timedelta(hours=2))
    yield P.PERMIT, recurring(zone, year, P.PERMIT, "FREQ=WEEKLY;BYDAY=TU,TH", nights)
    sundays = Entry(
        lambda d: d.weekday() == 6,
        time(2, 15),
        timedelta(minutes=95),
        ends_on_clock=False,
        without=frozenset((date(year, 3, 2), date(year, 10, 5) + _to_sunday(year))),
    )
    yield P.PERMIT, recurring(zone, year, P.PERMIT, "FREQ=WEEKLY;BYDAY=SU", sundays)
    late = Entry(lambda d: d.weekday() in (4, 5), time(23, 20), timedelta(minutes=100))
    yield P.PERMIT, recurring(zone, year, P.PERMIT, "FREQ=WEEKLY;BYDAY=FR,SA", late)
    days = Entry(lambda d: d.weekday() == 5, time(), timedelta(days=1))
    rule = "FREQ=WEEKLY;BYDAY=SA"
    yield P.PERMIT, recurring(zone, year, P.PERMIT, rule, days, all_day=True)
    short = Entry(lambda d: True, time(12), timedelta(minutes=7))
    yield P.PERMIT, recurring(zone, year, P.PERMIT, "FREQ=DAILY", short)
    ends = Entry(_is_last_of_month, time(), timedelta(days=1))
    rule = "FREQ=MONTHLY;BYMONTHDAY=-1"
    yield P.FREEZE, recurring(zone, year, P.FREEZE, rule, ends, all_day=True)
    last_sunday = Entry(
        lambda d: d.weekday() == 6 and (d + timedelta(days=7)).month != d.month,
        time(0, 30),
        timedelta(hours=2, minutes=15),
    )
    rule = "FREQ=MONTHLY;BYDAY=-1SU"
    yield P.FREEZE, recurring(zone, year, P.FREEZE, rule, last_sunday)
    long = Entry(
        lambda d: (d.month, d.day) in ((3, 28), (9, 26), (12, 29)),
        time(22, 40),
        timedelta(days=1, hours=3),
        ends_on_clock=False,
    )
    for month, day in ((3, 28), (9, 26), (12, 29)):
        part = replace(long, days=lambda d, m=month, n=day: (d.month, d.day) == (m, n))
        yield P.FREEZE, recurring(zone, year, P.FREEZE, "FREQ=YEARLY", part)


def calendar_file(zone: str, told: list[Told]) -> CalendarFile:
    """The calendar of these entries, read as from a file."""
    events = [
        "\n".join(("BEGIN:VEVENT", f"UID:{n}@proof", "DTSTAMP:20200101T000000Z", *each.lines))
        for n, each in enumerate(told)
    ]
    text = "\nEND:VEVENT\n".join(events)
    head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//proof//EN\n"
    declared = Declared(
        purposes=(P.PERMIT, P.FREEZE),
        unmarked=(),
        entities=(),
        zone=ZoneInfo(zone),
        known=(),
        scope=None,
    )
    content = f"{head}{text}\nEND:VEVENT\nEND:VCALENDAR\n"
    return parse_calendar("proof.ics", content.encode(), declared)


class Gate:
    """The whole gate, asked about one change at any moment."""

    def __init__(self, type: ChangeType = ChangeType.NORMAL) -> None:
        policy = replace(ALLOW, rules=(rule(),))
        play = Play(replace(CONFIG, policy=policy))
        self.state: State = play.state
        play.fire("ServiceDown", service="web1", host="app1")
        change = play.state.changes["CHG-1"]
        play.state.adopt(replace(CONFIG, policy=policy, calendars=(NAME,)))
        # Nothing is under way: only the calendar speaks.
        play.state.changes.clear()
        play.state.attempts.clear()
        self.change: Change = replace(change, type=type, decision=None)
        remediation = CONFIG.remediations[change.remediation]
        self.length = takes(remediation) // timedelta(minutes=1)

    def expand(self, file: CalendarFile, at: datetime, *, permits: bool = True) -> None:
        """Work the calendar out around a moment, as the agent does."""
        within = horizon(at)
        calendar = Calendar(
            name=NAME,
            permits=((),) if permits else (),
            windows=expand(file, within),
            horizon=within,
        )
        self.state.calendars = {NAME: calendar}

    def ask_calendar(self, at: datetime) -> Decision | None:
        """What freezes and windows say, and whether they can be read; None: it may."""
        return unreadable(self.state, at) or by_time(self.state, self.change, at)

    def ask(self, at: datetime) -> Decision:
        """What policy says at this moment."""
        return judge(self.state, self.change, at)


def span(year: int) -> datetime:
    """When the two years begin."""
    return datetime(year, 1, 1, tzinfo=UTC)


def _local(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S")


def _is_last_of_month(day: date) -> bool:
    return (day + timedelta(days=1)).month != day.month


def _to_sunday(year: int) -> timedelta:
    """From 5 October to the first Sunday from then on."""
    return timedelta(days=6 - date(year, 10, 5).weekday())
