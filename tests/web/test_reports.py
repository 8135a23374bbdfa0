"""Reports over the API say what is known, and nothing more."""

from tests.web.conftest import Running

PATH = "/api/v1/reports/availability"


async def test_what_nothing_watches_has_no_availability(agent: Running) -> None:
    """Asked for by name its whole window is unknown; it is not among the services at all."""
    _, report = await agent.ask("GET", f"{PATH}?entity=component:default/sign")
    (row,) = report["services"]
    assert (row["availability"], row["lowest"], row["highest"]) == (None, 0, 1)
    assert (row["agreed_s"], row["unknown_s"] > 0) == (0, True)
    _, report = await agent.ask("GET", PATH)
    assert [row["entity"] for row in report["services"]] == [
        "component:default/db",
        "component:default/shop",
    ]


async def test_a_month_is_that_of_the_customers_zone(agent: Running) -> None:
    """October in Berlin begins two hours before it does in UTC, and has 745 hours."""
    _, report = await agent.ask("GET", f"{PATH}?period=2025-10&zone=Europe/Berlin")
    assert ("2025-09-30T22:00:00Z", "2025-10-31T23:00:00Z") == (report["start"], report["end"])
    assert {745 * 3600.0} == {row["unknown_s"] for row in report["services"]}


async def test_a_wrong_period_or_zone_is_refused_with_what_would_do(agent: Running) -> None:
    """Never another month's figures because of a slip of the pen."""
    for query, part in (
        ("period=2025-13", "2025-13"),
        ("period=2025-10&zone=Europe/Atlantis", "Europe/Atlantis"),
        ("period=2025-10&zone=../../etc/passwd", "no time zone"),
        ("period=30d&end=2026-01-01T00:00:00Z", "Either"),
    ):
        status, problem = await agent.ask("GET", f"{PATH}?{query}")
        assert (422, True) == (status, part in problem["detail"])
