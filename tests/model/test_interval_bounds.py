"""An interval that is empty or reversed cannot exist."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.model.interval import Interval

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize("length", [timedelta(), timedelta(hours=-1)])
def test_it_ends_after_it_starts(length: timedelta) -> None:
    """Whoever makes another one has a mistake before this line."""
    with pytest.raises(ValueError, match="must end after it starts"):
        Interval(NOON, NOON + length)
