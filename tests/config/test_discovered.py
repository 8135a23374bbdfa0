"""Proposals for the map: names, what a person wrote, what is gone, and the file that is written."""

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.check import examine
from agent.config.discovered.described import Described, read, written
from agent.config.discovered.difference import Difference, difference_text
from agent.config.discovered.names import NAME_CHARACTERS_MAX, name_of, names_of
from agent.config.discovered.proposal import InForce, Proposal, propose
from agent.config.documents import Rules, read_rules, take
from agent.config.references import NAME
from agent.config.schema_settings import Settings
from agent.config.service_map import draw
from agent.config.yaml_lines import parse_documents
from agent.core.place import Places
from agent.model.discovery import Discovery, Evidence, Link, Sighting, Thing
from agent.model.labels import Matcher, MatchOperator
from agent.model.service import EntityKind, ServiceMap

GOLDEN = Path(__file__).parent / "discovered"
TODAY = date(2026, 11, 22)
LATER = date(2026, 12, 1)
COMPONENT, RESOURCE = EntityKind.COMPONENT, EntityKind.RESOURCE
BY_HAND = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: web-checkout
  annotations: {watchkeeper.io/match: 'service="checkout"'}
spec: {type: service, dependsOn: [component:pay/payments]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: payments, namespace: pay}
spec: {type: service}
"""


def seen(name: str, namespace: str = "", kind: EntityKind = COMPONENT, **labels: str) -> Sighting:
    """A sighting with one alternative of matchers."""
    matchers = tuple(
        Matcher(name=label, operator=MatchOperator.EQUAL, value=value)
        for label, value in sorted(labels.items())
    )
    return Sighting(
        thing=Thing(kind, namespace, name), type="service", matches=(matchers,) if matchers else ()
    )


def calls(upper: Sighting, lower: Sighting, per_second: float = 1.0) -> Link:
    """A link with the evidence of a counter."""
    at = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    evidence = Evidence(said_by="requests_total", per_second=per_second, last_seen=at)
    return Link(upper=upper.thing, lower=lower.thing, evidence=evidence)


def discovery(sightings: Iterable[Sighting], links: Iterable[Link] = ()) -> Discovery:
    """All that a tool knows."""
    return Discovery(sightings=tuple(sightings), links=tuple(links))


def in_force(by_hand: str = "", own: bytes = b"") -> InForce:
    """The map of a hand-written file, and what our own file says."""
    mine, ours = Rules(), Rules()
    for rules, content, name in ((mine, by_hand.encode(), "hand.yaml"), (ours, own, "own.yaml")):
        for document in parse_documents(content, name):
            take(rules, document)
        assert [] == rules.findings
    others = draw(mine.descriptors)
    return InForce(
        service_map=draw([*mine.descriptors, *ours.descriptors]).service_map(),
        written_at={ref: f"{d.file}:{d.line + 1}" for ref, d in others.documents.items()},
        earlier={each.ref: each for each in (read(d) for d, _ in ours.descriptors)},
        place=Places(ServiceMap.of(others.entities)).find,
    )


def file_of(proposal: Proposal) -> bytes:
    """The file that the proposal would write."""
    return written(proposal.entities, proposal.source).encode()


def told(proposal: Proposal) -> str:
    """What a person reads before anything is written."""
    return difference_text(proposal.lines, proposal.warnings) + "\n"


def golden(name: str, text: str) -> None:
    """`UPDATE_GOLDEN=1` writes it; whoever does so reads the difference."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


CHECKOUT = seen("checkout", service="checkout")
CART = seen("Cart Service", "shop", service="cart", job="shop")
ORDERS = seen("orders", "shop", RESOURCE, service="orders")
PAYMENTS = seen("payments", service="payments")
STOCK = seen("stock", "shop", service="stock")


def test_a_first_import_and_what_follows() -> None:
    """New, recognized, by hand alone, then gone and back: each is said, with its evidence."""
    first = discovery(
        [CHECKOUT, CART, ORDERS, PAYMENTS, STOCK],
        [
            calls(CHECKOUT, CART, 12.345),
            calls(CART, ORDERS),
            calls(PAYMENTS, CHECKOUT, 0.02),
            calls(CHECKOUT, PAYMENTS),
            calls(CART, STOCK),
        ],
    )
    proposal = propose(first, in_force(BY_HAND), source="traces", today=TODAY)
    golden("first.txt", told(proposal))
    golden("first.yaml", file_of(proposal).decode())

    smaller = discovery([CART, ORDERS, CHECKOUT], [calls(CHECKOUT, CART)])
    later = propose(smaller, in_force(BY_HAND, file_of(proposal)), source="traces", today=LATER)
    golden("gone.txt", told(later))
    golden("gone.yaml", file_of(later).decode())

    again = propose(first, in_force(BY_HAND, file_of(later)), source="traces", today=LATER)
    golden("back.txt", told(again))
    assert file_of(proposal) == file_of(again)


def test_what_a_person_describes_leaves_our_file() -> None:
    """The loader would refuse an entity that is described twice; the person's word counts."""
    proposal = propose(discovery([STOCK]), in_force(), source="traces", today=TODAY)
    by_hand = (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
        "metadata: {name: stock, namespace: shop}\n"
    )
    standing = in_force(by_hand)
    taken = InForce(
        service_map=standing.service_map,
        written_at=standing.written_at,
        earlier=in_force(own=file_of(proposal)).earlier,
        place=standing.place,
    )
    later = propose(discovery([STOCK]), taken, source="traces", today=LATER)

    assert () == later.entities
    assert {Difference.STANDS} == {line.difference for line in later.lines}


def test_names_that_come_to_the_same_stay_apart() -> None:
    """Nobody becomes another by how they are called; the one written exactly so keeps the name."""
    things = [Thing(COMPONENT, "", name) for name in ("Cart!", "cart", "CART", "c/a/r/t", "日本")]
    names = names_of(things)

    assert 4 == len(set(names.refs.values()))
    assert "component:default/cart" == names.refs[Thing(COMPONENT, "", "cart")]
    assert 2 == len(names.warnings)
    assert names.refs == names_of(reversed(things)).refs


TEXTS = st.text(max_size=80) | st.sampled_from(
    (
        *("", " ", "../../etc/passwd", "a" * 300, "{{ lookup('pipe', 'id') }}", "yes", "1e3", "~"),
        *(
            "a: b",
            "- x",
            "#",
            "'\"",
            "a\nb: c",
            "a\u2028b",
            "\x00",
            "\x1b[31m",
            "${x}",
            "&a *a !!x",
        ),
        *('x",service=~".*', "component:default/root", "%", "\ud800", "é" * 70, "İ"),
    )
)
KINDS = st.sampled_from([COMPONENT, RESOURCE, EntityKind.SYSTEM, EntityKind.GROUP])
THINGS = st.builds(Thing, KINDS, TEXTS, TEXTS)


@st.composite
def discoveries(draw: st.DrawFn) -> Discovery:
    """What a hostile or careless company may call its things."""
    things = draw(st.lists(THINGS, max_size=8, unique=True))
    others = st.none() | st.sampled_from(things) if things else st.none()
    sightings = [
        Sighting(
            thing=thing,
            type=draw(TEXTS),
            title=draw(TEXTS),
            description=draw(TEXTS),
            owner=draw(others),
            runs_on=draw(others),
            matches=tuple(
                (Matcher(name="service", operator=MatchOperator.EQUAL, value=value),)
                for value in draw(st.lists(TEXTS, max_size=2))
            ),
        )
        for thing in things
    ]
    ends = st.sampled_from(things) if things else st.nothing()
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=8)) if things else []
    evidence = Evidence(said_by="x")
    links = [Link(upper=upper, lower=lower, evidence=evidence) for upper, lower in pairs]
    return discovery(sightings, links)


@given(text=TEXTS)
def test_every_name_is_one_or_none(text: str) -> None:
    """What is made of any text is a name as Backstage means it, and stays what it is."""
    name = name_of(text)

    assert not name or NAME.fullmatch(name)
    assert len(name) <= NAME_CHARACTERS_MAX
    assert name == name_of(name)


@given(found=discoveries())
@settings(max_examples=150, deadline=None)
def test_whatever_it_holds_the_file_loads_and_twice_is_no_difference(found: Discovery) -> None:
    """Texts are data: the loader takes the file, it says what was proposed, and nothing is new."""
    proposal = propose(found, in_force(BY_HAND), source="traces", today=TODAY)
    content = file_of(proposal)
    standing = in_force(BY_HAND, content)

    assert {each.ref: each for each in proposal.entities} == standing.earlier
    again = propose(found, standing, source="traces", today=LATER)
    assert again.is_empty
    assert content == file_of(again)


@given(first=discoveries(), second=discoveries())
@settings(max_examples=60, deadline=None)
def test_nothing_is_deleted_silently(first: Discovery, second: Discovery) -> None:
    """What was discovered once stays in the file, marked while it is not seen."""
    before = propose(first, in_force(), source="traces", today=TODAY)
    after = propose(second, in_force(own=file_of(before)), source="traces", today=LATER)
    refs = {each.ref for each in after.entities}

    assert {each.ref for each in before.entities} <= refs
    now = {each.ref for each in propose(second, in_force(), source="x", today=LATER).entities}
    assert {each.ref for each in after.entities if "entity" in each.gone} == refs - now


def test_the_file_is_examined_by_the_loader_before_it_is_there(tmp_path: Path) -> None:
    """Contents instead of a file are read as if they stood there, whatever stands there now."""
    maps = tmp_path / "maps"
    maps.mkdir()
    (maps / "hand.yaml").write_text(BY_HAND)
    own = maps / "discovered-traces.yaml"
    entity = Described(ref="component:default/new", depends_on=("component:default/nowhere",))
    bad = examine(Settings(rules=tmp_path), {own: written([entity], "traces").encode()})
    good = examine(
        Settings(rules=tmp_path),
        {own: written([Described(ref="component:default/new")], "traces").encode()},
    )

    assert [True] == ["nowhere" in finding.message for finding in bad.findings]
    assert () == good.findings
    assert good.config is not None
    assert "component:default/new" in good.config.service_map.entities
    assert not own.exists()
    assert 2 == len(read_rules(tmp_path).descriptors)
