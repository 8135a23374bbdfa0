"""What may be assumed of a run that never was."""

from enum import StrEnum


class Assume(StrEnum):
    """How a run ends that never was."""

    NOTHING = "nothing"
    """It is told as begun, and then taken back: nothing is said of what it would have done."""
    SUCCESS = "success"
    """It changes something, the alert it was for clears, and metrics are good."""
    FAILURE = "failure"
    """It fails; a rollback succeeds."""
