"""The time that a question is about, from a period and a zone as people write them."""

from datetime import datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.model.interval import Interval
from agent.web.periods import PeriodError, period
from agent.web.problem import refuse


def window_of(text: str, zone: str, now: datetime) -> Interval:
    """The time that a period of a zone names. Refuses 422 what names none."""
    try:
        return period(text, ZoneInfo(zone), now)
    except PeriodError as error:
        raise refuse(HTTPStatus.UNPROCESSABLE_ENTITY, f"`period`: {error}.") from None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problem = f"`zone`: {zone} is no time zone; say one such as Europe/Berlin."
        raise refuse(HTTPStatus.UNPROCESSABLE_ENTITY, problem) from None
