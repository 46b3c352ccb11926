"""What a person should know or do."""

from dataclasses import dataclass

__all__ = ["Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, what follows from it, and what to do."""

    symptom: str
    impact: str
    action: str
