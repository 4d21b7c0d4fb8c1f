"""The ledger in git: file formats, the one door to git, commit-and-push, the journal."""
