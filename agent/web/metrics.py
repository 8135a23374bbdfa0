"""What the web measures of itself.

Children are looked up once: prometheus-client's own look-up costs more than the counting.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class HttpMetrics:
    """Requests by route, answers by status, refusals by limit."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "watchkeeper_http_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.answers = Counter(
            "watchkeeper_http_answers_total",
            "Answers by route and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.at_once = Gauge(
            "watchkeeper_http_requests_at_once", "Requests under way.", registry=registry
        )
        self.limited = Counter(
            "watchkeeper_http_limited_total",
            "Requests refused because a limit was reached.",
            ("limit",),
            registry=registry,
        )
        self._answers: dict[tuple[str, str, str], Counter] = {}
        self._seconds: dict[tuple[str, str], Histogram] = {}

    def answered(self, method: str, route: str, status: str, seconds: float) -> None:
        """Count one request that is over; `route` is the template, so that all are bounded."""
        answers = self._answers.get((method, route, status))
        if answers is None:
            answers = self.answers.labels(method, route, status)
            self._answers[method, route, status] = answers
        times = self._seconds.get((method, route))
        if times is None:
            self._seconds[method, route] = times = self.seconds.labels(method, route)
        answers.inc()
        times.observe(seconds)
