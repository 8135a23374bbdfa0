"""Reads other alert windows than the usual ones: sloth's `kind: AlertWindows`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from agent.config.durations import Duration
from agent.config.schema import validate
from agent.config.slo.objective import Foreign
from agent.config.yaml_lines import read_documents
from agent.errors import ConfigError, Finding
from agent.model.alert_windows import AlertWindows, Pair

Percent = Annotated[float, Field(gt=0, le=100, alias="errorBudgetPercent")]


class PairSpec(Foreign):
    """A pair of windows, and how much is gone by then."""

    share: Percent
    short: Duration = Field(alias="shortWindow")
    long: Duration = Field(alias="longWindow")


class PairsSpec(Foreign):
    """What goes fast, and what goes on for long."""

    quick: PairSpec
    slow: PairSpec


class WindowsSpec(Foreign):
    """The pairs of both severities, for one period."""

    period: Duration = Field(alias="sloPeriod")
    page: PairsSpec
    ticket: PairsSpec


class Written(Foreign):
    """A document of kind AlertWindows."""

    api_version: Literal["sloth.slok.dev/v1"] = Field(alias="apiVersion")
    kind: Literal["AlertWindows"]
    spec: WindowsSpec


def read_windows(path: Path, period: timedelta) -> AlertWindows:
    """The windows of this file, which must be for that period. Raises ConfigError."""
    documents = read_documents(path, str(path))
    if len(documents) != 1:
        raise ConfigError([_about(path, f"holds {len(documents)} documents instead of one.")])
    (document,) = documents
    written = validate(Written, document, document.value)
    if isinstance(written, list):
        raise ConfigError(written)
    if written.spec.period != period:
        text = "these windows are for another period than the rules."
        raise ConfigError([document.finding(("spec", "sloPeriod"), text, "Give it as --period.")])
    return AlertWindows(page=_pairs(written.spec.page), ticket=_pairs(written.spec.ticket))


def _pairs(spec: PairsSpec) -> tuple[Pair, Pair]:
    return _pair(spec.quick), _pair(spec.slow)


def _pair(spec: PairSpec) -> Pair:
    return Pair(short=spec.short, long=spec.long, share=spec.share / 100)


def _about(path: Path, message: str) -> Finding:
    return Finding(file=str(path), line=1, column=1, message=message, hint="")
