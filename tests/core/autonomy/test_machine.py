"""A rule's mode, through anything that can happen to it, against an oracle of a few lines."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.core.autonomy import modes
from agent.model.autonomy import MODES, Mode
from agent.model.autonomy_entries import (
    AutonomyResumed,
    AutonomyStopped,
    ModeDemoted,
    ModePromoted,
    ProposalTaken,
)
from agent.model.change import ChangeState
from agent.model.entry import ApprovalGiven
from agent.model.remediation import Outcome
from tests.core.play import CONFIG, ON_A_WORD, RESTART, RULE, Play

NAME = RULE.name
FRAIL = replace(RESTART, has_rollback=False, attempts_max=50)


class ModeMachine(RuleBasedStateMachine):
    """The oracle keeps one rank, where the file begins, and whether all is stopped."""

    def __init__(self) -> None:
        super().__init__()
        begins = replace(RULE, mode=Mode.SUGGEST, promotion=ON_A_WORD)
        self.play = Play(
            config=replace(CONFIG, remediation_rules=(begins,), remediations={FRAIL.name: FRAIL})
        )
        self.rank, self.is_stopped = Mode.SUGGEST.rank, False
        self.texts = 0

    @rule(to=st.sampled_from(MODES), is_author=st.booleans())
    def promote(self, to: Mode, is_author: bool) -> None:
        """Only the next step, and never by who wrote the rule."""
        (now,) = self.play.state.config.remediation_rules
        said = ModePromoted(
            rule=NAME,
            to=to,
            binding=modes.text_of(self.play.state, now),
            by="ann" if is_author else "eve",
            roles=("sre",),
        )
        is_heard = self.play.feed(said).refusal is None
        assert is_heard == (to.rank == self.rank + 1 and not is_author)
        if is_heard:
            self.rank = to.rank

    @rule(to=st.sampled_from(MODES))
    def demote(self, to: Mode) -> None:
        """A person lowers it."""
        is_heard = self.play.feed(ModeDemoted(rule=NAME, to=to, by="bob")).refusal is None
        assert is_heard == (to.rank < self.rank)
        self.rank = min(self.rank, to.rank)

    @rule()
    def stop(self) -> None:
        """Everything is stopped, or was."""
        self.play.feed(AutonomyStopped(by="bob", note="off"))
        self.is_stopped = True

    @rule()
    def resume(self) -> None:
        """Everything goes on."""
        self.play.feed(AutonomyResumed(by="eve", roles=("sre",)))
        self.is_stopped = False

    @rule()
    def write_anew(self) -> None:
        """Another text keeps what the file declares, and what it lost."""
        self.texts += 1
        (now,) = self.play.state.config.remediation_rules
        self.play.reload(remediation_rules=(replace(now, author=f"ann{self.texts}"),))
        self.play.reload(remediation_rules=(now,))
        self.rank = min(self.rank, Mode.SUGGEST.rank)

    @rule()
    def fail(self) -> None:
        """It is tried as far as its mode lets it, and does not help."""
        said = self.play.fire("ServiceDown", service="web1")
        for incident in list(self.play.state.incidents.values()):
            for proposal in incident.proposals:
                self.play.feed(ProposalTaken(incident=incident.id, case=proposal.case, by="bob"))
        for change in list(self.play.state.changes.values()):
            if change.state is ChangeState.AWAITING_APPROVAL:
                yes = ApprovalGiven(
                    change=change.id, binding=change.binding, by="eve", roles=("approver",)
                )
                self.play.feed(yes)
        is_acting = any(change.is_open for change in self.play.state.changes.values())
        assert is_acting == (self.rank > 0)
        if is_acting:
            self.play.play(Outcome.FAILED)
            self.rank = min(self.rank, max(Mode.SUGGEST.rank, self.rank - 1))
        # The next one is about something else: neither breaker nor cooldown is meant here.
        self.play.resolve(said)
        self.play.state.attempts.clear()
        self.play.state.autonomy.targets.clear()
        self.play.state.autonomy.rules[NAME].failed.clear()
        self.play.wait(3600)

    @invariant()
    def mode_is_what_the_oracle_says(self) -> None:
        """Whatever happened."""
        (now,) = self.play.state.config.remediation_rules
        rank = min(self.rank, Mode.SUGGEST.rank) if self.is_stopped else self.rank
        assert modes.mode_of(self.play.state, now).rank == rank


ModeMachine.TestCase.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)
TestModes = ModeMachine.TestCase
