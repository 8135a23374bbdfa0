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
