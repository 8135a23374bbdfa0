"""Ten situations: a small map and a story of alerts each. The texts beside explain them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from agent.model.alert import Alert
from agent.model.calendar import CalendarPurpose
from agent.model.rule import Config
from agent.model.service import Entity, EntityKind
from tests.core.play import Play, calendar, entity, matcher, minutes, ref, service_map


def at(*entities: Entity) -> Play:
    """A play on this map, without remediations."""
    return Play(config=Config(digest="situation", service_map=service_map(*entities)))


def host(name: str) -> Entity:
    """A machine that alerts with `host=NAME` belong to."""
    return Entity(
        ref=f"resource:default/{name}",
        kind=EntityKind.RESOURCE,
        name=name,
        type="host",
        matches=((matcher("host", name),),),
    )


def diamond() -> Play:
    """The shop reaches the database by two ways; all four alert, the database last."""
    ways = (entity("web", "db"), entity("basket", "db"))
    play = at(entity("shop", "web", "basket"), *ways, entity("db"))
    for name, kind in (("web", "Slow"), ("shop", "Slow"), ("basket", "Errors"), ("db", "Slow")):
        play.fire(kind, service=name)
        play.wait(5)
    return play


def shared_database() -> Play:
    """Three services rest on a database that is watched and silent; one of another is well."""
    users = [entity(name, "db") for name in ("shop", "billing", "search")]
    play = at(*users, entity("report", "archive"), entity("archive"), entity("db"))
    for name in ("shop", "billing", "search"):
        play.fire("Errors", service=name)
        play.wait(3)
    return play


def silent_middle_node() -> Play:
    """Between the shop and the stock stands a gateway that nothing watches."""
    gateway = replace(entity("gateway", "stock"), matches=())
    play = at(entity("shop", "gateway"), gateway, entity("stock"))
    play.fire("Slow", service="shop")
    play.wait(10)
    play.fire("QueueFull", service="stock")
    return play


def two_faults_at_once() -> Play:
    """A database and a mail relay that have nothing to do with each other fail in one minute."""
    play = at(entity("shop", "db"), entity("db"), entity("news", "relay"), entity("relay"))
    for name, kind in (("shop", "Slow"), ("relay", "Down"), ("db", "Down"), ("news", "Errors")):
        play.fire(kind, service=name)
        play.wait(5)
    return play


def flapping_leaf() -> Play:
    """One of two instances comes and goes six times while the database under both is down."""
    instances = (entity("web1", "db"), entity("web2", "db"))
    play = at(entity("shop", "web1", "web2"), *instances, entity("db"))
    play.fire("Down", service="db")
    play.fire("Errors", service="web1")
    for _ in range(6):
        said = play.fire("Errors", service="web2")
        play.wait(20)
        play.resolve(said)
        play.wait(20)
    return play


def map_cycle() -> Play:
    """Three services call each other in a circle; two alert, and one of them twice."""
    play = at(entity("a", "b"), entity("b", "c"), entity("c", "a"))
    play.fire("Slow", service="a")
    play.fire("Down", service="c")
    play.fire("Slow", service="c")
    return play


def missing_entity() -> Play:
    """Alerts of a service that the map does not know, beside one that it knows."""
    play = at(entity("shop", "db"), entity("db"))
    play.fire("Errors", service="shop", namespace="shop")
    play.fire("Errors", service="coupons", namespace="shop")
    play.fire("Slow", service="coupons", namespace="shop")
    return play


def late_resolve() -> Play:
    """The database is well again, and its monitor says so later than that of the shop."""
    play = at(entity("shop", "db"), entity("db"))
    said: list[Alert] = [play.fire("Down", service="db"), play.fire("Errors", service="shop")]
    play.wait(60)
    play.resolve(said[1])
    play.wait(240)
    play.resolve(said[0])
    play.wait(600)
    return play


def maintenance_of_the_cause() -> Play:
    """The database is down for planned work, so its own alert is muted; the shop suffers."""
    play = at(entity("shop", "db"), entity("db", "disk"), entity("disk"))
    window = (play.now - minutes(5), play.now + timedelta(hours=1))
    purpose = CalendarPurpose.MUTE
    play.calendars(calendar("db-work", window, purpose=purpose, entities=(ref("db"),)))
    play.fire("Down", service="db")
    play.wait(10)
    play.fire("Errors", service="shop")
    return play


def host_under_many_services() -> Play:
    """Four services run on one machine, of which nothing is heard; a fifth runs elsewhere."""
    machine, other = host("rack1"), host("rack2")
    names = ("shop", "search", "billing", "stock")
    users = [replace(entity(name), runs_on=machine.ref) for name in names]
    play = at(*users, replace(entity("mail"), runs_on=other.ref), machine, other)
    for name in names:
        play.fire("Unreachable", service=name)
        play.wait(2)
    return play


STORIES: tuple[Callable[[], Play], ...] = (
    diamond,
    shared_database,
    silent_middle_node,
    two_faults_at_once,
    flapping_leaf,
    map_cycle,
    missing_entity,
    late_resolve,
    maintenance_of_the_cause,
    host_under_many_services,
)
