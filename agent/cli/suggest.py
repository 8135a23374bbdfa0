"""`watchkeeper map suggest`: in what the alerts and the map do not agree."""

from collections.abc import Iterator, Mapping

from agent.cli import show
from agent.cli.remote import Document, Remote
from agent.config.discovered.described import Described, as_yaml, match_lines
from agent.config.discovered.names import name_of
from agent.model.labels import Matcher, MatchOperator

NAMED_BY = ("service", "host", "instance", "job", "namespace", "cluster")
"""Which label names an entity that the map does not know; the first that is present."""
HOSTS = ("host", "instance")


def suggest(remote: Remote, *, accept: bool, as_json: bool) -> int:
    """Print the suggestions, or with `accept` the YAML that would follow them."""
    found = remote.get("/api/v1/map/suggestions")
    if as_json:
        return show.as_json(found)
    if accept:
        print("\n".join(accepted(found)))
        return 0
    out = show.console()
    out.print(
        show.text(
            f"{found['episodes']} episodes were compared, {found['storms']} storms left out; "
            f"watching for {show.age(found['watching_since'])}."
        )
    )
    _missing(found["missing"])
    _silent(found["silent"])
    _nowhere(found["nowhere"])
    _never_heard(found)
    return 0


def accepted(found: Document) -> Iterator[str]:
    """What a person may add to the map: lines to put where the comments say, and descriptors."""
    for edge in found["missing"]:
        yield f"# {edge['upper']}: {_counts(edge)}."
        if not edge["is_direction_sure"]:
            yield "# Which of both rests on the other is not clear from the order: look first."
        yield f"# Add to spec of {edge['upper']}:"
        yield f"#   dependsOn: [{edge['lower']}]"
    for row in found["nowhere"]:
        labels = dict(label.partition("=")[::2] for label in row["labels"])
        entity = described(labels)
        if entity is not None:
            yield "---"
            yield as_yaml((entity,)).rstrip()


def described(labels: Mapping[str, str]) -> Described | None:
    """The entity that labels may stand for; None where no name can be made of them."""
    by = next((label for label in (*NAMED_BY, *labels) if labels.get(label)), None)
    name = name_of(labels[by]) if by else ""
    if not name:
        return None
    kind, type_ = ("resource", "host") if by in HOSTS else ("component", "service")
    namespace = name_of(labels.get("namespace", "")) if by != "namespace" else ""
    matchers = tuple(
        Matcher(name=label, operator=MatchOperator.EQUAL, value=value)
        for label, value in labels.items()
    )
    return Described(
        ref=f"{kind}:{namespace or 'default'}/{name}", type=type_, matches=match_lines((matchers,))
    )


def _missing(edges: list[Document]) -> None:
    _head("Edges that the alerts suggest and the map lacks", edges)
    for edge in edges:
        arrow = "->" if edge["is_direction_sure"] else "--"
        _line(f"{edge['upper']} {arrow} {edge['lower']}", _counts(edge), edge["examples"])


def _counts(edge: Document) -> str:
    return (
        f"{edge['both']} times together, {edge['upper_alone']} and {edge['lower_alone']} times "
        f"alone, of {edge['episodes']} (lift {edge['lift']:.1f}, by chance {edge['chance']:.1e}, "
        f"{edge['expected']:.1e} such pairs expected); the second began first in {edge['first']}"
    )


def _silent(edges: list[Document]) -> None:
    _head("Edges that were never seen to carry a failure", edges)
    for edge in edges:
        said = (
            f"{edge['failures']} failures below, none above: it carries at most "
            f"{edge['carries_at_most']:.0%} of them (95 %)"
        )
        _line(f"{edge['upper']} -> {edge['lower']}", said, edge["examples"])


def _nowhere(rows: list[Document]) -> None:
    _head("Labels of alerts that lead nowhere", rows)
    for row in rows:
        missed = f" (at most {row['missed']} of them others')" if row["missed"] else ""
        said = f"{row['alerts']} alerts{missed}: {', '.join(row['names'])}"
        _line(", ".join(row["labels"]), said, [])


def _never_heard(found: Document) -> None:
    refs = found["never_heard"]
    _head("Entities with matchers at which no alert was ever placed", refs)
    for ref in refs:
        _line(ref, "", [])
    if (more := found["never_heard_count"] - len(refs)) > 0:
        show.console().print(f"  ... and {more} more")


def _head(text: str, rows: list[Document]) -> None:
    out = show.console()
    out.print()
    out.print(show.text(text if rows else f"{text}: none", style="bold"))


def _line(subject: str, said: str, examples: list[str]) -> None:
    shown = f"  ({', '.join(examples)})" if examples else ""
    out = show.console()
    out.print(show.text(f"  {subject}"), soft_wrap=True)
    if said:
        out.print(show.text(f"      {said}{shown}", style="dim"), soft_wrap=True)
