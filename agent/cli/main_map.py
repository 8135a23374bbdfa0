"""The commands of `watchkeeper map`. What they do stands in a file of each its own."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import URL_DEFAULT, Config, Json, Token, Url

app = typer.Typer(no_args_is_help=True, help="The service map against what others know of it.")


@app.command("discover")
def map_discover(
    source: Annotated[
        str,
        typer.Argument(
            help="service_graph, istio, linkerd, kubernetes, a catalogue of config.yaml, or a path."
        ),
    ],
    config: Config = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FOLDER", help="Put discovered-SOURCE.yaml there."),
    ] = None,
    hours: Annotated[
        int | None, typer.Option("--hours", help="How far back calls count; default 24.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What the monitoring knows of the map: the difference first, the file only when told to."""
    from agent.cli.map import discover as run

    raise typer.Exit(run(source, config, write=write, hours=hours, as_json=as_json))


@app.command("suggest")
def map_suggest(
    accept: Annotated[
        bool, typer.Option("--accept", help="Print the lines of YAML; nothing is written.")
    ] = False,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """In what the alerts and the map do not agree, with the counts; nothing is applied."""
    from agent.cli.remote import Remote
    from agent.cli.suggest import suggest as run

    raise typer.Exit(run(Remote(url, token), accept=accept, as_json=as_json))
