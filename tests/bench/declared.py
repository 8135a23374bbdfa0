"""What the columns of recorded metrics measure, declared as an operator would declare signals.

The first line whose pattern fits a metric's whole name counts; a metric that fits none is left out.
"""

import re

import numpy as np

from agent.model.signal import Signal, SignalKind, Unit
from agent.reporting.surprise import Values

TIME = r"(latency|duration|response[_-]?time|answer[_-]?time|time)"
DECLARED: tuple[tuple[str, SignalKind, bool], ...] = (
    (rf".*{TIME}.*(caller|client|source|inbound).*", SignalKind.SEEN_BY_CALLERS, False),
    (rf".*(caller|client|source|inbound).*{TIME}.*", SignalKind.SEEN_BY_CALLERS, False),
    (rf".*{TIME}.*(callee|downstream|outbound).*", SignalKind.SEEN_OF_CALLEES, False),
    (rf".*(callee|downstream|outbound).*{TIME}.*", SignalKind.SEEN_OF_CALLEES, False),
    (rf".*{TIME}.*", SignalKind.LATENCY, False),
    (r".*(availability|success).*", SignalKind.ERRORS, True),
    (r".*(error|fail|fault|5xx).*", SignalKind.ERRORS, False),
    (r".*(request|workload|calls|throughput|qps|rps|invocation).*", SignalKind.REQUESTS, False),
    (r".*(cpu|mem|disk|load|thread|connection|socket|fd|heap|gc).*", SignalKind.RESOURCE, False),
    (r".*(traffic|byte|network|net|rx|tx|receive|transmit|packet).*", SignalKind.TRAFFIC, False),
)
"""Pattern of the metric's name, what it measures, whether more is better."""

QUANTILE = re.compile(r"(?:p|q|quantile)[_-]?(?:0\.)?(\d{1,3})")
SUMS = ("sum", "count", "total", "samplecount")


def declared(metric: str, statistic: str, history: Values) -> Signal | None:
    """The signal of a column; None where nobody declared it.

    `history` tells only whether a share is written as a ratio or in percent.
    """
    for pattern, kind, more_is_better in DECLARED:
        if re.fullmatch(pattern, metric.lower()):
            quantile = _quantile(statistic)
            if quantile is not None and not kind.startswith("latency"):
                return None
            return Signal(
                name=f"{metric}|{statistic}",
                kind=kind,
                query="recorded",
                unit=_unit(kind, statistic, history),
                more_is_better=more_is_better,
                quantile=quantile,
            )
    return None


def _quantile(statistic: str) -> float | None:
    found = QUANTILE.fullmatch(statistic.lower())
    if found is None:
        return 1.0 if statistic.lower() in ("max", "maximum") else None
    return float(f"0.{found[1]}")


def _unit(kind: SignalKind, statistic: str, history: Values) -> Unit:
    if kind.startswith("latency"):
        return Unit.SECONDS
    if kind is SignalKind.REQUESTS:
        return Unit.COUNT
    if kind is not SignalKind.ERRORS:
        return Unit.NUMBER
    if statistic.lower() in SUMS:
        return Unit.COUNT
    known = history[np.isfinite(history)]
    return Unit.PERCENT if known.size and known.max() > 1.0 else Unit.RATIO
