"""What pages for browsers are made of: templates, styles and scripts. The only Jinja2.

A page is one file that fetches nothing. Its policy lets no script run but the page's own, which is named by its hash:
names and reasons that came from outside stay text, also where escaping should ever fail.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
"""What a server sends with a page, beside its type."""


def page(
    template: str,
    values: Mapping[str, object],
    *,
    style: str,
    script: str | tuple[str, ...] = "",
    connect: str = "'none'",
) -> str:
    """Return the page that a template makes of `values`; all of them are escaped.

    `style` and `script` are files beside this one: the page holds them whole, after the theme that all pages share.
    Several files of a script become one, in a scope of its own. `connect` is what it may fetch from, in the words of a
    Content-Security-Policy; nothing where the page is a file.
    """
    code = _joined(script) if isinstance(script, tuple) else asset(script) if script else ""
    shared = {
        "policy": policy(code, connect),
        "style": Markup(asset("theme.css") + asset(style)),  # noqa: S704  (our own files)
        "script": Markup(code),  # noqa: S704
    }
    return _environment().get_template(template).render({**shared, **values})


def policy(code: str, connect: str) -> str:
    """Return the Content-Security-Policy of a page with this script."""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    scripts = f"'sha256-{digest}'" if code else "'none'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}; img-src data:; connect-src {connect}; "
        "base-uri 'none'; form-action 'none'"
    )


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join(('"use strict";', "{", *map(asset, names), "}", ""))


@cache
def asset(name: str) -> str:
    """Return the text of a file beside this one."""
    return (files(__name__) / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
