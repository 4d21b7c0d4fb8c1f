"""Who is who on GitLab: which accounts are bots, and which may have written a commit. Pure.

A commit carries names and e-mail addresses only. Three of them tell of an account: GitLab's own private address, which
begins with the account's number; an approver's public address; and, to be on the safe side, an approver's full name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.review.forge import Person
from reconciler.review.shape import Record

# Source: GitLab's pages on project and group access tokens, and on service accounts.
_BOT = re.compile(r"(?:project|group)_[0-9]+_bot(?:[0-9]*|_[0-9a-z]+)|service_account_[0-9a-z_]+|ghost[0-9]*|.*-bot")
# Source: GitLab's page on profiles, "private commit email".
_PRIVATE = re.compile(r"(?P<id>[1-9][0-9]{0,18})-(?P<login>[^@]+)@users\.noreply\..+", re.IGNORECASE)


class Signature(NamedTuple):
    """Who a commit says wrote or committed it: anybody may write anything there."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account, with what of it may stand in a commit; texts are empty where they are not known."""

    person: Person
    name: str
    email: str


def person(user: Record) -> Person:
    """Read an account as GitLab shows it beside other things; a bot where it is named like one."""
    login = user.text("username")
    return Person(str(user.number("id")), login, bot=_BOT.fullmatch(login) is not None)


def account(user: Record) -> Account:
    """Read an account as GitLab shows it by itself, or as much of it as there is."""
    known = person(user)
    bot = known.bot or user.truth("bot")
    return Account(Person(known.id, known.login, bot), user.maybe_text("name"), user.maybe_text("public_email"))


def writers(signatures: Iterable[Signature], accounts: Iterable[Account]) -> tuple[Person, ...]:
    """Return the accounts that signatures tell of: by a private address, or an approver's name or public address."""
    found: dict[str, Person] = {}
    known = tuple(accounts)
    for name, email in signatures:
        private = _PRIVATE.fullmatch(email)
        if private:
            found[private["id"]] = Person(private["id"], private["login"])
        for one in known:
            if _same(name, one.name) or _same(email, one.email):
                found[one.person.id] = one.person
    return tuple(found.values())


def _same(one: str, other: str) -> bool:
    return one != "" and one.casefold() == other.casefold()
