"""Commands that tell in figures how services fared."""

from datetime import datetime
from typing import Annotated

import typer

from agent.cli.options import URL_DEFAULT, Json, Token, Url

app = typer.Typer()


@app.command()
def report(
    what: Annotated[str, typer.Argument(help="`availability` or `changes`")],
    period: Annotated[
        str | None,
        typer.Option("--period", help="2026-10, 2026-Q4, 2026-W41, 2026 or 30d."),
    ] = None,
    zone: Annotated[
        str, typer.Option("--zone", help="Whose calendar the period is of: Europe/Berlin.")
    ] = "UTC",
    excused: Annotated[
        str, typer.Option("--excused", help="What excused time is: left_out or counts_as_up.")
    ] = "left_out",
    start: Annotated[
        datetime | None, typer.Option("--from", help="UTC; default: 30 days before the end.")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="UTC; default: now.")] = None,
    entity: Annotated[str | None, typer.Option("--entity", help="One reference.")] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets.")] = False,
) -> None:
    """Reports in figures that can be traced: availability of services, and how changes fared."""
    from agent.cli.remote import Remote
    from agent.cli.report import report as run

    remote = Remote(url, token)
    wish = {"period": period, "zone": zone, "excused": excused, "entity": entity}
    raise typer.Exit(
        run(remote, what, start=start, end=end, wish=wish, as_json=as_json, as_csv=as_csv)
    )
