"""The forge of a checkout: where it is, with which token it is asked, and what its reviews say of reruns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.commands.provenance import Provenance
from reconciler.core.config import Config, ForgeApprovals
from reconciler.review.traced import ReviewedReruns
from reconciler.state.checkout import Checkout

if TYPE_CHECKING:  # most plans ask no forge
    from reconciler.review.forge import Forge
    from reconciler.review.place import Place


def open_reviews(checkout: Checkout, commit: str | None, config: Config, environ: Mapping[str, str]) -> ReviewedReruns:
    """Return what says of reruns whether reviews approve them; the forge is only asked where one is to be approved.

    `commit` is the one that the manifests are from, None for those of the work tree.
    """
    return ReviewedReruns(
        lambda policy: open_forge(checkout, policy, environ),
        Provenance(checkout, commit),
        config.targets,
        checkout.git.progress,
    )


def open_forge(checkout: Checkout, policy: ForgeApprovals | None, environ: Mapping[str, str]) -> Forge:
    """Return the forge that holds a checkout's pull requests: the one that approves reruns, or else that of CI.

    Raises ForgeFailure where it is not known, where there is no token, or where the token must not go there.
    """
    from reconciler.review.connect import connect
    from reconciler.review.place import check_allowed_host
    from reconciler.review.token import read_token

    remote = checkout.remote()
    url = checkout.git.setting(f"remote.{remote}.url") if remote else None
    place = _place(url, policy, environ)
    check_allowed_host(place, environ, url)
    return connect(place, read_token(place.forge, policy.token_from if policy else None, environ))


def _place(remote: str | None, policy: ForgeApprovals | None, environ: Mapping[str, str]) -> Place:
    from reconciler.review.place import locate

    if policy is None:
        return locate(environ, remote)
    return locate(environ, remote, forge=policy.forge, url=policy.url, repository=policy.repository)
