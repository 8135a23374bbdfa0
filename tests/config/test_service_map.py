"""Descriptors become the map that a reader of Backstage expects, with our annotations on it."""

from pathlib import Path

import pytest

from agent.config.documents import Rules, read_rules
from agent.config.service_map import circle_warnings, draw
from agent.model.service import ServiceMap

HEAD = "apiVersion: backstage.io/v1alpha1\n"


def rules(folder: Path, *descriptors: str) -> Rules:
    """The rules of a folder with these descriptors in one file."""
    (folder / "map.yaml").write_text("---\n".join(HEAD + text + "\n" for text in descriptors))
    return read_rules(folder)


def service_map(folder: Path, *descriptors: str) -> ServiceMap:
    """The map of these descriptors, which must be in order."""
    read = rules(folder, *descriptors)
    drawing = draw(read.descriptors)
    assert [*read.findings, *drawing.findings] == []
    return drawing.service_map()


def test_references_are_made_whole(tmp_path: Path) -> None:
    """Namespace and, where the key implies it, kind may be left out; case does not count."""
    drawn = service_map(
        tmp_path,
        "kind: System\nmetadata: {name: Shop}\nspec: {owner: Team-A}",
        "kind: Group\nmetadata: {name: team-a}",
        "kind: Component\nmetadata: {name: web}\n"
        "spec: {system: shop, dependsOn: ['resource:db', 'Resource:other/DB']}",
        "kind: Resource\nmetadata: {name: db}",
        "kind: Resource\nmetadata: {name: db, namespace: other}",
    )
    web = drawn.entities["component:default/web"]
    assert web.depends_on == ("resource:default/db", "resource:other/db")
    assert web.part_of == "system:default/shop"
    assert drawn.entities["system:default/shop"].owner == "group:default/team-a"


def test_an_api_rests_on_its_provider(tmp_path: Path) -> None:
    """Who consumes an API depends, through it, on whoever provides it."""
    drawn = service_map(
        tmp_path,
        "kind: API\nmetadata: {name: orders}",
        "kind: Component\nmetadata: {name: web}\nspec: {consumesApis: [orders]}",
        "kind: Component\nmetadata: {name: backend}\nspec: {providesApis: [orders]}",
    )
    below = [ref for ref, _ in drawn.below("component:default/web", 5)]
    assert below == ["api:default/orders", "component:default/backend"]


def test_dependency_of_is_depends_on_from_below(tmp_path: Path) -> None:
    """`dependencyOf` says the same as `dependsOn` at the other end."""
    drawn = service_map(
        tmp_path,
        "kind: Resource\nmetadata: {name: db}\nspec: {dependencyOf: ['component:web']}",
        "kind: Component\nmetadata: {name: web}",
    )
    assert drawn.dependencies["component:default/web"] == ("resource:default/db",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web1", ("root", "web1", 22)),
        ("ansible@10.0.0.1:2222", ("ansible", "10.0.0.1", 2222)),
        ("ansible@[fe80::1]:22", ("ansible", "fe80::1", 22)),
    ],
)
def test_an_ssh_host(text: str, expected: tuple[str, str, int], tmp_path: Path) -> None:
    """User and port may be left out; an IPv6 address stands in brackets."""
    drawn = service_map(
        tmp_path,
        "kind: Resource\nmetadata:\n  name: web1\n  annotations:\n"
        f"    watchkeeper.io/ssh-host: '{text}'",
    )
    host = drawn.entities["resource:default/web1"].host
    assert host is not None
    assert expected == (host.user, host.address, host.port)
    assert host.name == "web1"


@pytest.mark.parametrize(
    "text",
    ["-oProxyCommand=x", "a@-b", "a b", "a@b:0", "a@b:99999", "a;b@c", "{{ x }}"],
)
def test_a_hostile_ssh_host_is_refused(text: str, tmp_path: Path) -> None:
    """Nothing that ssh or Ansible could take for more than a host passes."""
    read = rules(
        tmp_path,
        "kind: Resource\nmetadata:\n  name: web1\n  annotations:\n"
        f'    watchkeeper.io/ssh-host: "{text}"',
    )
    (finding,) = draw(read.descriptors).findings
    assert "is no SSH host" in finding.message


def test_unknown_keys_of_backstage_are_tolerated(tmp_path: Path) -> None:
    """A catalogue that exists is used as it is: what we do not read may stand there."""
    drawn = service_map(
        tmp_path,
        "kind: Component\nmetadata: {name: web, labels: {a: b}, links: [{url: x}], tags: [x]}\n"
        "spec: {type: service, profile: {displayName: x}, 'x-own': 1}",
    )
    assert list(drawn.entities) == ["component:default/web"]


def test_circles_are_allowed_and_told(tmp_path: Path) -> None:
    """Each knot is told once, as the shortest way around from its first name."""
    read = rules(
        tmp_path,
        *(
            f"kind: Component\nmetadata: {{name: {name}}}\nspec: {{dependsOn: [{below}]}}"
            for name, below in {
                "a": "'component:b', 'component:d'",
                "b": "'component:c'",
                "c": "'component:a'",
                "d": "'component:a'",
                "e": "'component:a'",
            }.items()
        ),
    )
    (warning,) = circle_warnings(draw(read.descriptors))
    way = ("component:default/a", "component:default/d", "component:default/a")
    assert warning.message == f"{' depends on '.join(way)}: a circle."
