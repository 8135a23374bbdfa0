"""The commands of `watchkeeper slo`. What they do stands in a file of its own."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Service level objectives and the rules they need.")


@app.command("rules")
def slo_rules(
    files: Annotated[
        list[Path], typer.Argument(help="OpenSLO or sloth files; - for standard input.")
    ],
    period: Annotated[
        str, typer.Option("--period", help="What the objectives are about, such as 30d or 28d.")
    ] = "30d",
    windows: Annotated[
        Path | None, typer.Option("--windows", help="Other alert windows: kind AlertWindows.")
    ] = None,
) -> None:
    """Print recording and alerting rules for Prometheus, or all findings at once."""
    from agent.cli.slo import rules as run

    raise typer.Exit(run(files, period=period, windows=windows))
