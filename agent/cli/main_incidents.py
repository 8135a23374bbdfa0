"""Commands about incidents: the list, one with its story, what people do with it, and why."""

from typing import Annotated

import typer

from agent.cli.options import DO, SORT, URL_DEFAULT, Json, Token, Url

app = typer.Typer()

Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="clear|2h", help="Tell nobody before, unless worse.", rich_help_panel=DO
    ),
]
Split = Annotated[
    list[str] | None,
    typer.Option("--split", metavar="ALERT", help="Its own incident.", rich_help_panel=SORT),
]
Moved = Annotated[
    list[str] | None,
    typer.Option("--move", metavar="ALERT", help="It belongs to...", rich_help_panel=SORT),
]
Into = Annotated[
    str | None, typer.Option("--into", metavar="INC-3", help="...this.", rich_help_panel=SORT)
]
Unrelated = Annotated[
    list[str] | None,
    typer.Option("--unrelated", metavar="ALERT|REF", help="Away.", rich_help_panel=SORT),
]
MergeInto = Annotated[
    str | None,
    typer.Option("--merge-into", metavar="INC-3", help="It is part of that.", rich_help_panel=SORT),
]
ConfirmSuspect = Annotated[
    str | None,
    typer.Option(
        "--confirm-suspect", metavar="REP-3", help="That change led to it.", rich_help_panel=DO
    ),
]
DismissSuspect = Annotated[
    str | None,
    typer.Option("--dismiss-suspect", metavar="CHG-2", help="It did not.", rich_help_panel=DO),
]


@app.command()
def incidents(
    identifier: Annotated[str | None, typer.Argument(help="INC-7; default: all open.")] = None,
    all_states: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    ack: Annotated[
        bool, typer.Option("--ack", help="Take note: you have it.", rich_help_panel=DO)
    ] = False,
    until: Until = None,
    assign: Annotated[
        str | None,
        typer.Option(
            "--assign", metavar="NAME", help="Who has it; '': no one.", rich_help_panel=DO
        ),
    ] = None,
    comment: Annotated[
        str | None,
        typer.Option("--comment", help="Said here and at its ticket.", rich_help_panel=DO),
    ] = None,
    cause: Annotated[
        str | None,
        typer.Option("--cause", metavar="REF", help="What it was.", rich_help_panel=DO),
    ] = None,
    merge_into: MergeInto = None,
    confirm_suspect: ConfirmSuspect = None,
    dismiss_suspect: DismissSuspect = None,
    split: Split = None,
    move: Moved = None,
    into: Into = None,
    unrelated: Unrelated = None,
    resolve: Annotated[
        bool, typer.Option("--resolve", help="Service is restored.", rich_help_panel=DO)
    ] = False,
    note: Annotated[str, typer.Option("--note", help="How, or why.", rich_help_panel=DO)] = "",
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Incidents, or one of them with its story; take it in hand with what stands below."""
    from agent.cli.incidents import incidents as run
    from agent.cli.remote import Remote
    from agent.cli.respond import Response, respond

    response = Response(
        acknowledge=ack,
        until=until,
        assign=assign,
        comment=comment,
        cause=cause,
        merge_into=merge_into,
        confirm_suspect=confirm_suspect,
        dismiss_suspect=dismiss_suspect,
        split=tuple(split or ()),
        move=tuple(move or ()),
        into=into,
        unrelated=tuple(unrelated or ()),
        resolve=resolve,
        note=note,
    )
    if until is not None and not ack:
        raise typer.BadParameter("say --ack with --until")
    remote = Remote(url, token)
    if not response.actions():
        raise typer.Exit(run(remote, identifier, all_states=all_states, as_json=as_json))
    if identifier is None:
        raise typer.BadParameter("say which incident, such as INC-7")
    if bool(move) != bool(into):
        raise typer.BadParameter("say --move ALERT and --into INC-3 together")
    raise typer.Exit(respond(remote, identifier, response, as_json=as_json))


@app.command()
def explain(
    what: Annotated[str, typer.Argument(help="`incident` or `alert`")],
    identifier: Annotated[str, typer.Argument(help="INC-7, or a fingerprint")],
    not_with: Annotated[
        str | None,
        typer.Option("--not-with", metavar="INC-7|ALERT", help="Why it is not with that."),
    ] = None,
    url: Url = URL_DEFAULT,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Why: the causes of an incident with their evidence, or the place of an alert."""
    from agent.cli.explain import explain as run
    from agent.cli.remote import Remote

    raise typer.Exit(run(Remote(url, token), what, identifier, not_with=not_with, as_json=as_json))
