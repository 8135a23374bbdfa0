"""A world for the agent: it breaks, errs, lies and kills, all as one seed says, and then it heals.

The agent in it is the very `step` of production. Nothing here judges; `checkers` do.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from random import Random

from agent.core.state import ActiveAlert
from agent.model.alert import Alert
from agent.model.change import ChangeState
from agent.model.effect import (
    CancelRun,
    Effect,
    LaunchRun,
    MeasureSignals,
    Notify,
    PrepareRun,
    PreviewRun,
    Probe,
    WriteTicket,
)
from agent.model.entry import (
    AgentStarted,
    AlertsReceived,
    CalendarsExpanded,
    ChangeCancelled,
    ConfigLoaded,
    LeasesRenewed,
    TimeElapsed,
    What,
)
from agent.model.rule import EMPTY_CONFIG, Config
from agent.sim.agenda import Agenda
from agent.sim.executor import Executor
from agent.sim.people import People
from agent.sim.plan import LASTS, START, Faults, Happening, Kind, Plan, calendars_of
from agent.sim.sender import Sender
from agent.sim.services import all_well
from agent.sim.tools import Desk, Metrics, Receivers
from agent.sim.town import AT_REST, BASE, ON, SERVICES, VARIANTS, digest_on_disk
from agent.sim.watch import COPIES, Codec, Observer, Watch

EVALUATED_EVERY_S = 15.0
HOLD = timedelta(seconds=30)
"""How long a service must be down before an alert says so."""
LEASES_EVERY_S = 30.0
RACKS = ("rack1", "rack2")
"""Where disks fill; no entity answers to them."""
REST = timedelta(days=8)
"""How long nothing happens at the end: longer than anything is kept in memory."""
TIMERS_AT_ONCE_MAX = 50


class StuckError(AssertionError):
    """Timers come up again and again without time passing."""


class World:
    """Everything around one agent, from the first alert to the last quiet day."""

    def __init__(self, plan: Plan, observer: Observer, codec: Codec = COPIES) -> None:
        self.agenda = Agenda(START)
        self.plan = plan
        self.faults = plan.faults
        self._config = BASE
        self._calendars = plan.calendars
        self.services = all_well()
        self._down_since: dict[str, datetime] = {}
        self._full: dict[str, int] = {}
        self._watchdog_silent_until = START
        self._signals: dict[tuple[str, str, str, str], None] = {}
        """Alerts that fire at their source: name, severity, one label and its value."""
        self._is_well = False
        self._is_at_rest = False
        self._renewals: dict[str, datetime] = {}
        self._beats: dict[str, datetime] = {}
        self._chance = self._random("chance")
        configs: dict[str, Config] = {
            config.digest: config for config in (EMPTY_CONFIG, AT_REST, *VARIANTS.values())
        }
        self.watch = Watch(self.agenda, configs, self, observer, codec)
        self.sender = Sender(self.agenda, self._random("net"), plan.faults, self._deliver)
        self.executor = Executor(
            self.agenda,
            self._random("runs"),
            plan.faults,
            answer=self.answer,
            digest_of=lambda name: digest_on_disk(self.watch.state.config, name),
            changed=self._set_down,
            violated=observer.violated,
        )
        self.desk = Desk(self.agenda, self._random("desk"), plan.faults, self.answer)
        self.receivers = Receivers(self._random("receivers"), plan.faults, self.answer)
        self.metrics = Metrics(
            self.agenda,
            self._random("metrics"),
            plan.faults,
            answer=self.answer,
            is_up=lambda service: not self.services[service].is_down,
        )
        self.people = People(self.agenda)

    def live(self) -> None:
        """The time of faults."""
        self.watch.append(AgentStarted(version="simulated", last_alive=None))
        self.set_up()
        self.agenda.after(1.0, self._evaluate)
        self.agenda.after(LEASES_EVERY_S, self._renew)
        for happening in self.plan.happenings:
            self.agenda.at(happening.at, partial(self._happen, happening))
        self._run(START + LASTS)

    def heal(self) -> None:
        """No more faults; everybody does what is theirs to do, and then nothing happens."""
        for part in (self, self.sender, self.executor, self.desk, self.receivers, self.metrics):
            part.faults = Faults()
        self.desk.down_until = None
        for service in self.services.values():
            service.episode += 1
            service.is_down = service.is_slow = False
        self._full.clear()
        healed = self.agenda.now
        self._watchdog_silent_until = healed + 2 * REST
        self._run(healed + timedelta(minutes=30))
        self._is_well = True
        self._config = AT_REST
        self.set_up()
        self.sender.heal()
        self._run(healed + timedelta(hours=2))
        for _ in range(2):
            for change in list(self.watch.state.changes.values()):
                if change.state is ChangeState.UNKNOWN:
                    self.watch.append(ChangeCancelled(change=change.id, by="carol"))
            self._run(self.agenda.now + timedelta(hours=2))
        self.sender.stop()
        self._is_at_rest = True
        self._run(healed + REST)

    def perform(self, effect: Effect) -> None:
        """Do what the agent asks for."""
        match effect:
            case PrepareRun():
                self.executor.prepare(effect)
            case PreviewRun():
                self.executor.preview(effect)
            case LaunchRun():
                run = self.watch.state.runs[effect.run]
                self.executor.launch(effect, run, self.watch.state.changes[run.change])
            case CancelRun():
                self.executor.cancel(effect)
            case Probe():
                change = self.watch.state.changes.get(effect.change)
                self.metrics.probe(effect, change.entity if change else SERVICES[0])
            case MeasureSignals():
                self.metrics.look(effect)
            case WriteTicket():
                self.desk.write(effect)
            case Notify():
                self.receivers.tell(effect)

    def may_crash(self) -> bool:
        """Whether the process dies here."""
        return bool(self.faults.crash) and self._chance.random() < self.faults.crash

    def end_orphans(self) -> None:
        """End what is left of the runs of a process that died."""
        self.executor.end_orphans()

    def set_up(self) -> None:
        """What is on disk comes into force, as at every start."""
        if self.watch.state.config.digest != self._config.digest:
            self.watch.append(ConfigLoaded(config=self._config))
        self.watch.append(CalendarsExpanded(calendars=self._calendars))

    def outage(self) -> float:
        """Seconds until somebody starts the process again."""
        return 1.0 + self._chance.random() ** 4 * 900

    def answer(self, seconds: float, what: What) -> None:
        """Have the agent hear it, unless it has died by then."""
        life = self.watch.life

        def hear() -> None:
            if self.watch.life == life:
                self.watch.append(what)

        self.agenda.after(seconds, hear)

    def _random(self, name: str) -> Random:
        return Random(f"{name} {self.plan.seed}")  # noqa: S311 - the point is to be repeatable

    def _run(self, until: datetime) -> None:
        at_once, last = 0, self.agenda.now
        while True:
            due = self.watch.state.next_due() if self.watch.is_up else None
            planned = self.agenda.next_at()
            moment = min((at for at in (due, planned) if at is not None), default=until)
            if moment >= until:
                self.agenda.advance(until)
                return
            if due is not None and due == moment:
                self.agenda.advance(due)
                at_once = at_once + 1 if self.agenda.now == last else 0
                last = self.agenda.now
                if at_once > TIMERS_AT_ONCE_MAX:
                    raise StuckError(
                        f"timers come up without end at {last}: {self.watch.state.timers}"
                    )
                self.watch.append(TimeElapsed())
            else:
                self.agenda.take()()

    def _deliver(self, alerts: tuple[Alert, ...]) -> None:
        """What the intake does: pure repeats are collected, everything else is an entry."""
        if not self.watch.is_up:
            return
        known = self.watch.state.alerts
        if self._chance.random() < 0.7 and all(_is_repeat(known, alert) for alert in alerts):
            for alert in alerts:
                if alert.ends_at is None and alert.expires_at is not None:
                    self._renewals[alert.fingerprint] = alert.expires_at
                    if known[alert.fingerprint].beats:
                        self._beats[alert.fingerprint] = self.agenda.now
        else:
            self.watch.append(AlertsReceived(source="prometheus", alerts=alerts))

    def _renew(self) -> None:
        if self._renewals and self.watch.is_up:
            renewed, self._renewals = self._renewals, {}
            beats, self._beats = self._beats, {}
            self.watch.append(LeasesRenewed(expires_at=renewed, beats=beats))
        if not self._is_at_rest:
            self.agenda.after(LEASES_EVERY_S, self._renew)

    def _evaluate(self) -> None:
        now = self.agenda.now
        for name, service in self.services.items():
            since = self._down_since.setdefault(name, now) if service.is_down else None
            if since is None:
                self._down_since.pop(name, None)
            is_out = since is not None and now - since >= HOLD
            self._signal(is_out, ("ServiceDown", "critical", "service", name))
            is_slow = service.is_slow or any(self.services[lower].is_down for lower in ON[name])
            self._signal(is_slow, ("ServiceSlow", "warning", "service", name))
        for rack in RACKS:
            self._signal(bool(self._full.get(rack)), ("DiskFull", "warning", "host", rack))
        beats = now >= self._watchdog_silent_until
        self._signal(beats, ("Watchdog", "none", "job", "prometheus"))
        if not self._is_well:
            self.agenda.after(EVALUATED_EVERY_S, self._evaluate)

    def _signal(self, is_on: bool, what: tuple[str, str, str, str]) -> None:
        if is_on == (what in self._signals):
            return
        name, severity, label, value = what
        if is_on:
            self._signals[what] = None
            self.sender.fire(name, severity, **{label: value})
        else:
            del self._signals[what]
            self.sender.clear(name, severity, **{label: value})

    def _happen(self, planned: Happening) -> None:
        act = _HAPPENINGS.get(planned.kind)
        if act is not None:
            act(self, planned)
        elif self.watch.is_up:
            what = self.people.act(self.watch.state, planned)
            if what is not None:
                self.watch.append(what)

    def _set_down(self, name: str, is_down: bool) -> None:
        service = self.services[name]
        if service.is_down != is_down:
            service.episode += 1
            service.is_down = is_down

    def _break(self, planned: Happening) -> None:
        self._set_down(planned.which, True)
        episode = self.services[planned.which].episode

        def mend() -> None:
            if self.services[planned.which].episode == episode:
                self._set_down(planned.which, False)

        self.agenda.at(planned.at + planned.lasts, mend)

    def _flap(self, planned: Happening) -> None:
        for number in range(4):
            for offset, is_down in ((0, True), (60, False)):
                self.agenda.after(
                    number * 120 + offset, partial(self._set_down, planned.which, is_down)
                )

    def _slow(self, planned: Happening) -> None:
        service = self.services[planned.which]
        service.is_slow = True
        self.agenda.at(planned.at + planned.lasts, lambda: setattr(service, "is_slow", False))

    def _fill(self, planned: Happening) -> None:
        self._full[planned.which] = self._full.get(planned.which, 0) + 1

        def empty() -> None:
            if self._full.get(planned.which):
                self._full[planned.which] -= 1

        self.agenda.at(planned.at + planned.lasts, empty)

    def _reload(self, planned: Happening) -> None:
        self._config = VARIANTS[planned.which]
        self.set_up()

    def _plan_windows(self, planned: Happening) -> None:
        self._calendars = calendars_of(Random(f"calendars {planned.pick}"))  # noqa: S311 - repeatable
        self.set_up()

    def _tool_down(self, planned: Happening) -> None:
        self.desk.down_until = planned.at + planned.lasts * 2

    def _watchdog_dies(self, planned: Happening) -> None:
        self._watchdog_silent_until = planned.at + planned.lasts

    def _crash(self, planned: Happening) -> None:
        self.watch.crash()

    def _close_ticket(self, planned: Happening) -> None:
        self.desk.touch(planned.pick, closes=True)

    def _comment_ticket(self, planned: Happening) -> None:
        self.desk.touch(planned.pick, closes=False)


_HAPPENINGS: dict[Kind, Callable[[World, Happening], None]] = {
    Kind.BREAK: World._break,
    Kind.SLOW: World._slow,
    Kind.FLAP: World._flap,
    Kind.FILL: World._fill,
    Kind.RELOAD: World._reload,
    Kind.CALENDARS: World._plan_windows,
    Kind.TOOL_DOWN: World._tool_down,
    Kind.WATCHDOG_DIES: World._watchdog_dies,
    Kind.CRASH: World._crash,
    Kind.CLOSE_TICKET: World._close_ticket,
    Kind.COMMENT_TICKET: World._comment_ticket,
}


def _is_repeat(known: Mapping[str, ActiveAlert], alert: Alert) -> bool:
    active = known.get(alert.fingerprint)
    return (
        alert.ends_at is None and active is not None and active.alert.starts_at == alert.starts_at
    )
