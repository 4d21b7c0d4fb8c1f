"""Where a secret is found: `{env: NAME}` or `{file: /path}`, never the secret itself."""

from __future__ import annotations

from reconciler.core.config import FromEnv, FromFile, ValueFrom
from reconciler.manifests.typed import Typed, text_at


def read_value_from(value: dict[str, Typed]) -> ValueFrom:
    """Return where the secret is found; `value` has one of the two keys, as the schema made sure."""
    env = text_at(value, "env")
    return FromEnv(env) if env else FromFile(text_at(value, "file") or "")
