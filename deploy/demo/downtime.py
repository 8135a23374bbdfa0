"""Downtime as the agent's availability report tells it, in words and as the closing table."""

from collections.abc import Iterator, Sequence

from agent.web.api_reports import AvailabilityReport, ServiceAvailability
from deploy.demo.narrator import Detail

HEAD = ("service", "up", "down", "degraded", "unknown", "restored in", "by itself")


def told(report: AvailabilityReport) -> Iterator[Detail]:
    """One line for each service that was down or degraded in the window."""
    for row in report.services:
        if row.down_s or row.degraded_s:
            parts = [f"down {row.down_s:.1f} s"] if row.down_s else []
            parts += [f"degraded {row.degraded_s:.1f} s"] if row.degraded_s else []
            parts += [f"unknown {row.unknown_s:.1f} s"] if row.unknown_s >= 0.05 else []
            if row.restored_by_automation:
                parts.append("by automation")
            yield Detail(f"{row.title:<17} {', '.join(parts)}")


def rows(report: AvailabilityReport) -> Sequence[Sequence[str]]:
    """The table below `HEAD`, one row a service."""
    return [_row(service) for service in report.services]


def _row(service: ServiceAvailability) -> Sequence[str]:
    share = service.availability
    return (
        service.title,
        "not known" if share is None else f"{share:.1%}",
        *(f"{each:.1f} s" for each in (service.down_s, service.degraded_s, service.unknown_s)),
        ", ".join(f"{each:.0f} s" for each in service.restorations_s) or "-",
        f"{service.restored_by_automation} of {len(service.incidents)}"
        if service.incidents
        else "-",
    )
