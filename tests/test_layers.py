"""Who may import whom, who may see the world: the floors of the architecture, held by a walk.

Every claim collects all its violations, each with file and line.
"""

from collections.abc import Iterator

from tests.source import (
    OURS,
    ROOT,
    calls,
    imports,
    is_standard,
    is_within,
    modules,
    most_special,
    told,
)

PURE = ("agent.model", "agent.core", "agent.reporting")
COMPOSITION_ROOT = "agent.runtime.app"
SEES_EVERYTHING = "agent.cli"

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "agent": (),
    "agent.errors": (),
    "agent.model": (),
    "agent.core": ("agent.model",),
    "agent.reporting": ("agent.model",),
    # Conditions and matchers are checked, with their place in the file, by what will run them.
    "agent.config": (
        "agent.model",
        "agent.errors",
        "agent.core.conditions",
        "agent.core.causes.queries",
        "agent.core.matching",
    ),
    "agent.connector": ("agent.model", "agent.errors"),
    "agent.manifest": ("agent.connector", "agent.model", "agent.errors"),
    # Checks what we claim, and so may know nothing of us; runs alone, as one file.
    "agent.verifier": (),
    "connectors": ("agent.connector", "agent.model", "agent.errors"),
    "agent.sim": ("agent.core", "agent.model", "agent.config", "agent.errors"),
    "agent.runtime": (
        "agent",
        "agent.core",
        "agent.reporting",
        "agent.model",
        "agent.config",
        "agent.connector",
        "agent.manifest",
        "agent.errors",
        "agent.verifier",
    ),
    "agent.web": (
        "agent",
        "agent.runtime",
        "agent.config.schema_settings",
        # What a person types to silence is read as in a rule.
        "agent.config.matchers",
        "agent.reporting",
        "agent.core",
        "agent.model",
        "agent.connector",
        "agent.errors",
    ),
    # Pure too in what they know: records in, text and colours out.
    "agent.web.views": (
        "agent.model",
        "agent.reporting",
        "agent.web.graph",
        "agent.web.permission",
        # How far rules go is worked out where it is decided.
        "agent.core.autonomy.told",
        "agent.core.autonomy.score",
    ),
    # The command line sees everything, and it alone sees the composition root.
    "agent.cli": ("agent", "connectors"),
}
"""A package, or a module with a line of its own, and what of ours it may import besides itself."""

MAY_USE: dict[str, tuple[str, ...]] = {
    "agent.errors": (),
    # Alertmanager's fingerprint in pure Python was most of what a new alert cost.
    "agent.model": ("fnv_c",),
    # A regular expression of a user must not be able to stop the loop.
    "agent.core": ("re2",),
    "agent.core.conditions": ("cel_expr_python",),
    "agent.reporting": ("numpy",),
    "agent.config": (
        "icalendar",
        # Conditions of other tools are read by a grammar, not by hand.
        "lark",
        "orjson",
        "promql_parser",
        "pydantic",
        "pydantic_core",
        "re2",
        "recurring_ical_events",
        "yaml",
    ),
    "agent.connector": ("pydantic",),
    "agent.manifest": ("pydantic",),
    "agent.verifier": (),
    "connectors": ("pydantic", "pydantic_core"),
    # The hot path: thousands of alerts a second are read here and nowhere else.
    "connectors.alertmanager": ("msgspec", "pydantic"),
    "agent.sim": ("pydantic", "yaml"),
    "agent.runtime": ("prometheus_client", "structlog"),
    "agent.runtime.ansible": ("ansible_runner", "structlog"),
    "agent.runtime.awx": ("pydantic",),
    "agent.runtime.app": ("prometheus_client", "uvloop"),
    "agent.runtime.audit.note": ("cryptography",),
    "agent.runtime.client": ("aiohttp", "prometheus_client", "tenacity", "yarl"),
    "agent.runtime.codec": ("msgspec",),
    "agent.runtime.migrate": ("alembic", "sqlalchemy"),
    "agent.runtime.migrations": ("alembic", "sqlalchemy"),
    "agent.runtime.notify": ("apprise",),
    "agent.runtime.probe": ("promql_parser",),
    "agent.runtime.registry": ("pydantic",),
    "agent.runtime.reload": ("prometheus_client", "watchfiles"),
    "agent.runtime.schema": ("sqlalchemy",),
    "agent.runtime.snapshot_file": ("msgspec",),
    "agent.web": (
        "aiohttp",
        "aiohttp_sse",
        "jinja2",
        "multidict",
        "openapi_pydantic",
        "orjson",
        "prometheus_client",
        "pydantic",
        "structlog",
    ),
    "agent.web.schedule_ics": ("icalendar",),
    "agent.web.views": (),
    "agent.cli": ("rich", "typer"),
}
"""Libraries by package or module: the most special line counts. Most are known to one file."""

PURE_STANDARD = frozenset(
    (
        "bisect",
        "collections",
        "dataclasses",
        "datetime",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
        "math",
        "operator",
        "re",
        "statistics",
        "string",
        "typing",
    )
)
"""Of Python's own library, what neither looks at the world nor differs from run to run."""

READS_A_CLOCK = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time")
NEVER_CALLED_IN_CORE = (*READS_A_CLOCK, "open", "print", "input", "hash", "id", "exec", "eval")
WORLDLY = ("aiohttp", "asyncio", "logging", "os", "random", "requests", "secrets", "socket")
WORLDLY_TOO = ("structlog", "subprocess", "tempfile", "threading", "time", "uuid")

READERS_OF_TIME = {
    "agent.runtime.clock": "the one reader of time",
    "agent.runtime.ansible.executor": "stamps output as it comes; tests hand in their own",
    "agent.cli": "a person at a terminal, and no decision",
}


def test_packages_import_only_what_lies_below_them() -> None:
    """No arrow runs upwards: the table above is all that may be imported of ours."""
    found = [
        f"{module.place(node)}: {module.name} imports {name}"
        for module in modules("agent", "connectors")
        for name, node in imports(module)
        if is_within(name, OURS) and not _may_import(module.name, name)
    ]

    assert not found, told(found)


def test_libraries_stay_where_they_belong() -> None:
    """A library is known to the packages that need it, so that replacing it stays possible."""
    found = [
        f"{module.place(node)}: {module.name} uses {name}"
        for module in modules("agent", "connectors")
        for name, node in imports(module)
        if not is_standard(name) and not is_within(name, OURS) and not _may_use(module.name, name)
    ]

    assert not found, told(found)


def test_no_circles() -> None:
    """Modules can be read one after the other: none is reached again from what it imports."""
    graph = {
        module.name: sorted({name for name, _ in imports(module) if is_within(name, OURS)})
        for module in modules("agent", "connectors")
    }

    assert list(_circles(graph)) == []


def test_connectors_do_not_know_each_other() -> None:
    """A connector can be removed without anything else noticing."""
    found = [
        f"{module.place(node)}: imports {name}"
        for module in modules("connectors")
        for name, node in imports(module)
        if is_within(name, ("connectors",)) and name.split(".")[1:2] != module.name.split(".")[1:2]
    ]

    assert not found, told(found)


def test_the_core_sees_nothing_of_the_world() -> None:
    """No clock, randomness, identity, file, socket or log: the same entries, the same decisions."""
    found = [
        f"{module.place(node)}: imports {name}"
        for module in modules(*PURE)
        for name, node in imports(module)
        if is_standard(name) and name not in PURE_STANDARD
    ]
    found += list(calls(modules(*PURE), NEVER_CALLED_IN_CORE))

    assert not found, told(found)


def test_connectors_see_nothing_of_the_world() -> None:
    """They translate; the one client sends, waits, retries and logs."""
    found = [
        f"{module.place(node)}: imports {name}"
        for module in modules("agent.connector", "connectors")
        for name, node in imports(module)
        if name in (*WORLDLY, *WORLDLY_TOO)
    ]
    found += list(calls(modules("agent.connector", "connectors"), (*READS_A_CLOCK, "open")))

    assert not found, told(found)


def test_one_reader_of_time() -> None:
    """Everybody is told the time by the clock of the runtime, so that tests can tell another."""
    found = [
        call
        for module in modules("agent")
        if not is_within(module.name, tuple(READERS_OF_TIME))
        for call in calls((module,), READS_A_CLOCK)
    ]

    assert not found, told(found)


def test_data_folders_hold_no_code() -> None:
    """Rules and remediations are what operators write: nothing in them is Python."""
    found = [
        str(file.relative_to(ROOT))
        for folder in ("rules", "remediations")
        for file in (ROOT / folder).rglob("*.py")
    ]

    assert not found, told(found)


def _may_import(importer: str, name: str) -> bool:
    if name == COMPOSITION_ROOT:
        return is_within(importer, (SEES_EVERYTHING,))
    line = most_special(MAY_IMPORT, importer)
    allowed = MAY_IMPORT[line]
    if line == SEES_EVERYTHING:
        return is_within(name, allowed)
    # The package itself holds the version; what lies below it has lines of its own.
    if name == "agent":
        return "agent" in allowed
    return is_within(name, (line, *(package for package in allowed if package != "agent")))


def _may_use(user: str, library: str) -> bool:
    return library in MAY_USE.get(most_special(MAY_USE, user), ())


def _circles(graph: dict[str, list[str]]) -> Iterator[str]:
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> Iterator[str]:
        if name in path:
            yield " -> ".join((*path[path.index(name) :], name))
        elif name not in done:
            for following in graph.get(name, ()):
                yield from walk(following, (*path, name))
            done.add(name)

    for name in graph:
        yield from walk(name, ())
