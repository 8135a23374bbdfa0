"""A Backstage catalogue: final entities of its API, and files with their short references."""

import json
from pathlib import Path

import pytest

from agent.errors import PayloadError, PermanentError
from agent.model.discovery import Discovery
from agent.runtime.registry import Registry
from tests.connectors.tape import replay

CASES = Path(__file__).parent
BACKSTAGE = Registry.find().catalogue("backstage", {}, CASES)


def edges(found: Discovery) -> list[str]:
    """`upper > lower`, each with its namespace."""
    return [
        f"{link.upper.namespace}/{link.upper.name} > {link.lower.namespace}/{link.lower.name}"
        for link in found.links
    ]


def test_relations_of_the_api_count_once() -> None:
    """Each is there at both of its ends; an API rests on who provides it."""
    tape = json.loads((CASES / "backstage" / "two_pages.exchange.json").read_text())
    found = replay(BACKSTAGE.discover(), tape["turns"])

    assert [
        "default/checkout > data/orders-db",
        "default/checkout > default/pay",
        "default/pay > default/payments",
    ] == edges(found)


def test_no_catalogue_says_which_machines_we_log_in_to() -> None:
    """Annotations of ours are taken over, but those that would open a way to hosts."""
    tape = json.loads((CASES / "backstage" / "two_pages.exchange.json").read_text())
    found = replay(BACKSTAGE.discover(), tape["turns"])
    checkout = next(seen for seen in found.sightings if seen.thing.name == "checkout")

    assert {"watchkeeper.io/tier": "1"} == checkout.annotations
    assert any("ssh-host was left out" in warning for warning in found.warnings)


def test_short_references_of_a_file() -> None:
    """They begin at the kind of their key, and at the namespace of the entity that makes them."""
    entity = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "owner": "team",
            "system": "store",
            "subcomponentOf": "site",
            "dependsOn": ["component:cart", "resource:data/db", "no kind", "cart"],
            "dependencyOf": ["component:default/edge"],
            "providesApis": ["pages"],
            "consumesApis": ["default/pay"],
        },
    }
    found = BACKSTAGE.read(json.dumps([entity]).encode())
    (web,) = found.sightings

    assert ("group", "shop", "team") == (
        (web.owner.kind.value, web.owner.namespace, web.owner.name) if web.owner else None
    )
    assert "component" == (web.part_of.kind.value if web.part_of else None)
    assert [
        "shop/web > shop/cart",
        "shop/web > data/db",
        "shop/web > default/pay",
        "shop/pages > shop/web",
        "default/edge > shop/web",
    ] == edges(found)
    assert 2 == len(found.warnings)


@pytest.mark.parametrize("payload", [b"{", b"{}", b'[{"kind":1}]', b'[{"metadata":{}}]'])
def test_what_is_no_catalogue_is_refused_with_a_place(payload: bytes) -> None:
    """Nothing half-read is proposed."""
    with pytest.raises(PayloadError) as caught:
        BACKSTAGE.read(payload)
    assert caught.value.where.startswith("$")


def test_a_refusal_comes_in_the_words_of_the_catalogue() -> None:
    """So that whoever runs it knows which permission is missing."""
    turn = {
        "request": json.loads((CASES / "backstage" / "two_pages.exchange.json").read_text())[
            "turns"
        ][0]["request"],
        "response": {"status": 403, "body": {"error": {"name": "NotAllowedError"}}},
    }
    with pytest.raises(PermanentError, match="NotAllowedError"):
        replay(BACKSTAGE.discover(), [turn])
