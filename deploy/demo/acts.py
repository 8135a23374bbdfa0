"""The failures of the demonstration, and how one is played: broken, told, checked from outside."""

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from deploy.demo.agent_view import AgentView
from deploy.demo.downtime import told
from deploy.demo.hosts import Hosts
from deploy.demo.inbox import Inbox, Message
from deploy.demo.monitoring import Monitoring
from deploy.demo.narrator import Detail, Narrator, Tone
from deploy.demo.programs import LOOK_AGAIN_S, until
from deploy.demo.prometheus_view import Claim, firing
from deploy.demo.story import Beat, Records, beats
from deploy.demo.ticketing import Redmine

ALERT_S_MAX = 30.0
REMEDIATED_S_MAX = 120.0
TICKET_S_MAX = 30.0
LOOK_AGAIN_AT_RECORDS_S = 4 * LOOK_AGAIN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A failure: what is done to which host, and what Prometheus must claim then.

    `stops` and `returns` are the chapters of the recording that tell of the same failure.
    """

    title: str
    host: str
    service: str
    command: str
    claims: frozenset[Claim]
    stops: str
    returns: str


ACTS = (
    Act(
        title="1. nginx stops on app1; the checkout behind it is gone",
        host="app1",
        service="nginx",
        command="service nginx stop",
        claims=frozenset({Claim("ServiceDown", "app1"), Claim("CheckoutFailing", "app1")}),
        stops="nginx stops",
        returns="nginx returns",
    ),
    Act(
        title="2. redis stops on app3; the checkouts of app1 and app2 share it",
        host="app3",
        service="redis",
        command="service redis-server stop",
        claims=frozenset(
            {
                Claim("ServiceDown", "app3"),
                Claim("CheckoutFailing", "app1"),
                Claim("CheckoutFailing", "app2"),
            }
        ),
        stops="redis stops",
        returns="redis returns",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of an act: the agent's records, and how often it logged in on which host."""

    records: Sequence[Records]
    logins: Mapping[str, int]


class Teller:
    """Follows what the agent does about one act and tells each stage of it once.

    `comment` is what a person says to an incident as soon as it has a ticket: INCIDENT -> None.
    """

    def __init__(
        self,
        view: AgentView,
        inbox: Inbox,
        narrator: Narrator,
        comment: Callable[[str], None] | None = None,
    ) -> None:
        self._view = view
        self._inbox = inbox
        self._narrator = narrator
        self._titles: Mapping[str, str] = {}
        self._told: set[str] = set()
        self._comment = comment
        self._commented: set[str] = set()

    async def until_over(self) -> Sequence[Records]:
        """Tell until every incident of the act is closed; TimeoutError after two minutes."""
        self._titles = await asyncio.to_thread(self._view.titles)
        async with asyncio.timeout(REMEDIATED_S_MAX):
            while True:
                records = await asyncio.to_thread(self._read)
                self._tell(records)
                if records and all(each.is_over for each in records):
                    return records
                await asyncio.sleep(LOOK_AGAIN_AT_RECORDS_S)

    def _read(self) -> Sequence[Records]:
        incidents = self._view.incidents(self._narrator.began)
        for each in incidents:
            if self._comment and each.tickets and each.id not in self._commented:
                self._commented.add(each.id)
                self._comment(each.id)
        return [self._records(each.id) for each in incidents]

    def _records(self, identifier: str) -> Records:
        incident = self._view.incident(identifier)
        return Records(
            incident=incident,
            changes=tuple(self._view.change(name) for name in incident.incident.changes),
            output={run.id: self._view.output(run.id).lines for run in incident.runs},
            titles=self._titles,
        )

    def _tell(self, records: Sequence[Records]) -> None:
        known = itertools.chain.from_iterable(map(beats, records))
        fresh = [beat for beat in known if beat.key not in self._told]
        fresh += [_of_message(message) for message in self._inbox.take()]
        for beat in sorted(fresh, key=lambda beat: beat.at):
            self._told.add(beat.key)
            self._narrator.stage(
                beat.name, beat.text, at=beat.at, tone=beat.tone, details=beat.details
            )


def _of_message(message: Message) -> Beat:
    # the first line of each incident repeats the title
    body = [line.strip() for line in message.body.splitlines()[1:]]
    return Beat(
        key=f"message {message.at.isoformat()}",
        at=message.at,
        name="message",
        text=message.title,
        details=tuple(Detail(line, lines_max=1) for line in body),
    )


async def play_on_hosts(
    act: Act, *, hosts: Hosts, monitoring: Monitoring, teller: Teller, narrator: Narrator
) -> Played:
    """Break something and tell what follows, until all is well again."""
    narrator.act(act.title)
    before = {host.name: host.logins() for host in hosts.all}
    await hosts[act.host].run(act.command)
    narrator.stage("broken", f"{act.host}: {act.command}", tone=Tone.BAD)
    await until(lambda: act.claims <= firing(monitoring.url), limit_s=ALERT_S_MAX)
    records = await teller.until_over()
    await until(lambda: not firing(monitoring.url), limit_s=REMEDIATED_S_MAX)
    # One login was our own, to break it.
    own = {act.host: 1}
    logins = {
        host.name: host.logins() - before[host.name] - own.get(host.name, 0) for host in hosts.all
    }
    seen = ", ".join(f"{name} saw {count or 'none'}" for name, count in logins.items())
    narrator.stage(
        "seen",
        "Prometheus claims nothing any more",
        tone=Tone.GOOD,
        details=[Detail(f"logins, by the hosts' own logs: {seen}")],
    )
    return Played(records=records, logins=logins)


async def tell_tickets(redmine: Redmine, narrator: Narrator, records: Sequence[Records]) -> None:
    """How the tickets of the act ended, by the word of Redmine itself."""
    for ticket in (link for each in records for link in each.incident.incident.tickets):
        await until(partial(redmine.is_closed, ticket.ref), limit_s=TICKET_S_MAX)
        issue = await asyncio.to_thread(redmine.issue, ticket.ref)
        narrator.stage(
            "ticket",
            f"{issue.status} in Redmine: {ticket.url}",
            tone=Tone.GOOD,
            details=[Detail(_one_line(note), '"', lines_max=1) for note in issue.notes],
        )


async def tell_downtime(view: AgentView, narrator: Narrator, records: Sequence[Records]) -> None:
    """What the act cost whom, by the agent's own report, and what the act came to."""
    report = await asyncio.to_thread(view.availability, narrator.began, datetime.now(UTC))
    runs = sum(len(each.incident.runs) for each in records)
    incidents = _counted(len(records), "incident")
    narrator.stage(
        "downtime",
        f"{incidents}, {_counted(runs, 'run')}; by the availability report:",
        details=tuple(told(report)),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
