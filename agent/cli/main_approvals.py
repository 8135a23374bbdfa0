"""Commands of those who decide: boards, late approvals, reviews, delegation, reconciliation."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.options import URL_DEFAULT, Json, Token, Url

app = typer.Typer()
board = typer.Typer(help="Change advisory board: agenda and decisions.", no_args_is_help=True)
change = typer.Typer(help="What people say about one change.", no_args_is_help=True)
app.add_typer(board, name="cab")
app.add_typer(change, name="change")

Identifier = Annotated[str, typer.Argument(metavar="ID", help="CHG-7")]
Note = Annotated[str, typer.Option("--note", help="Why.")]


@board.command("agenda")
def agenda(
    within: Annotated[str, typer.Option("--within", help="How far ahead: 12h, 7d.")] = "7d",
    as_markdown: Annotated[bool, typer.Option("--markdown", help="To print or mail.")] = False,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """What a board sits down with: changes that wait, what is owed, what is planned."""
    from agent.cli.approvals import agenda as run
    from agent.cli.remote import Remote

    remote = Remote(url, token)
    raise typer.Exit(run(remote, within, as_json=as_json, as_markdown=as_markdown))


@board.command("decide")
def decide(
    file: Annotated[Path, typer.Argument(help="YAML or CSV: change, binding, decision, note.")],
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Record what was decided, each by itself; 1 where something was refused."""
    from agent.cli.approvals import decide as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), file, as_json=as_json))


@change.command("reconcile")
def reconcile(
    identifier: Identifier,
    closure: Annotated[
        str, typer.Option("--as", help="How it ended: success, failed or rolled_back.")
    ],
    note: Annotated[str, typer.Option("--note", help="How you know.")],
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Say what a run did that was lost sight of."""
    _say(url, token, identifier, "reconcile", "is reconciled", closure=closure, note=note)


@change.command("withdraw")
def withdraw(
    identifier: Identifier, note: Note = "", url: Url = URL_DEFAULT, token: Token = None
) -> None:
    """Take your own approval back, before it starts."""
    _say(url, token, identifier, "withdraw", "has your approval no longer", note=note)


@change.command("retro")
def retro(
    identifier: Identifier,
    reject: Annotated[
        bool, typer.Option("--reject", help="It should not have been done so; needs --note.")
    ] = False,
    note: Note = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Answer for an emergency change that ran."""
    decision = "reject" if reject else "approve"
    done = "was not accepted" if reject else "is answered for"
    _say(url, token, identifier, "retro", done, decision=decision, note=note)


@change.command("review")
def review(
    identifier: Identifier,
    outcome: Annotated[
        str,
        typer.Option("--outcome", help="as_intended, with_lessons, not_effective or harmful."),
    ],
    text: Annotated[str, typer.Option("--text", help="What was found.")],
    lessons: Annotated[str, typer.Option("--lessons", help="What to do otherwise.")] = "",
    problem: Annotated[
        str | None, typer.Option("--problem", metavar="PRB-7", help="Which follows up on it.")
    ] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Look back at a change that is over."""
    said = {"outcome": outcome, "text": text, "lessons": lessons, "problem": problem}
    _say(url, token, identifier, "review", "is reviewed", **said)


@app.command()
def delegations(url: Url = URL_DEFAULT, token: Token = None, as_json: Json = False) -> None:
    """Who decides in whose place."""
    from agent.cli.approvals import delegations as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), as_json=as_json))


@app.command()
def delegate(
    to: Annotated[str | None, typer.Argument(help="The person who decides in your place.")] = None,
    length: Annotated[str, typer.Option("--for", help="How long: 8h, 7d.")] = "1d",
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help="On this part only: owner:team-a.")
    ] = None,
    withdraw: Annotated[
        str | None, typer.Option("--withdraw", metavar="DEL-7", help="End this one instead.")
    ] = None,
    note: Note = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
) -> None:
    """Let another person decide on changes in your place, for a time."""
    from agent.cli import approvals
    from agent.cli.remote import Remote

    if (to is None) == (withdraw is None):
        raise typer.BadParameter("say who, or which one to --withdraw")
    remote = Remote(url, token)
    if withdraw is not None:
        raise typer.Exit(approvals.end_delegation(remote, withdraw))
    raise typer.Exit(approvals.delegate(remote, str(to), length, scopes or [], note))


def _say(
    url: str, token: str | None, identifier: str, verb: str, done: str, **body: str | None
) -> None:
    from agent.cli.approvals import say
    from agent.cli.remote import Remote

    raise typer.Exit(say(Remote(url, token), identifier, verb, body, done))
