"""Options that many commands share, each with one name and one meaning."""

from pathlib import Path
from typing import Annotated

import typer

URL_DEFAULT = "http://127.0.0.1:8060"

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="config.yaml; default: none is needed.")
]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of journal and history.")]
Json = Annotated[bool, typer.Option("--json", help="For scripts.")]
Url = Annotated[
    str, typer.Option("--url", envvar="WATCHKEEPER_URL", help="Where the agent listens.")
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="WATCHKEEPER_TOKEN",
        help="API token; needed for everything that changes things.",
        show_default=False,
    ),
]
DO = "Take it in hand"
SORT = "Correct what belongs together"
ASK = "Ask for a change"

NotBefore = Annotated[
    str | None,
    typer.Option("--not-before", metavar="TIME", help="Start then.", rich_help_panel=ASK),
]
NotAfter = Annotated[
    str | None,
    typer.Option("--not-after", metavar="TIME", help="Be over by then.", rich_help_panel=ASK),
]
Retro = Annotated[bool, typer.Option("--retro", help="Emergencies that nobody has answered for.")]
Reviews = Annotated[bool, typer.Option("--reviews", help="What has to be reviewed.")]
