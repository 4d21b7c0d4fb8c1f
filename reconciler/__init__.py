"""GitOps for backfills: manifests in git, a ledger of what was triggered, only the missing calls."""

__version__ = "0.1.0"
