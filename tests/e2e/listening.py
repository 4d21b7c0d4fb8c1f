"""A console that keeps what a command says: for tests that call a command without the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.progress import SILENT, Progress
from reconciler.render.paint import PLAIN, Paint


@dataclass(slots=True)
class Listening:
    """Nobody sits at it. `out` is the results, `err` the messages and warnings, in order."""

    out: str = ""
    err: str = ""
    verbose: bool = False
    interactive: bool = False
    paint: Paint = PLAIN
    columns: int = 100
    progress: Progress = SILENT
    questions: list[str] = field(default_factory=list)

    def shows(self, text: str) -> bool:
        return text.isascii()

    def result(self, text: str) -> None:
        self.out += text

    def save(self, file: Path, text: str) -> None:
        file.write_text(text, encoding="utf-8")

    def message(self, text: str) -> None:
        self.err += text + "\n"

    def warning(self, text: str) -> None:
        self.err += text + "\n" if text else ""

    def alarm(self, text: str) -> None:
        self.err += text + "\n"

    def ask(self, question: str) -> bool:
        self.questions.append(question)
        return False
