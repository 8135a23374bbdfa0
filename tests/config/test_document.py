"""docs/configuration.md is what the schemas say."""

from pathlib import Path

from agent.config.document import configuration

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_current() -> None:
    """Nobody changed a schema without writing the page anew (`python -m agent.config.document`)."""
    assert configuration() == PAGE.read_text()


def test_every_key_says_what_it_is_for() -> None:
    """No row of the page has an empty meaning."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    mute = [row for row in rows if row.endswith("|  |") and "yes" not in row]
    assert mute == []
