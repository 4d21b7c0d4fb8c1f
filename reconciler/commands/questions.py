"""What a command still has to know: asked on a terminal, taken from defaults in a pipe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.errors import UsageFailure


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask a person, and the option that answers it in a pipe; `default` is None where there is no good one."""

    option: str
    text: str
    default: str | None = None


def refuse_open(questions: Iterable[Question]) -> None:
    """Raise UsageFailure that names each option that nobody can be asked for and that has no default."""
    missing = [question for question in questions if question.default is None]
    if missing:
        names = ", ".join(question.option for question in missing)
        hint = "\n".join(f"{question.option}: {question.text}" for question in missing)
        raise UsageFailure(f"{names} {'is' if len(missing) == 1 else 'are'} needed", hint)
