"""Files that results go to: tried before anything is done, so that no result is lost for want of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.errors import Failure, UsageFailure
from reconciler.manifests.root import is_manifest_path


def check_files(files: Iterable[Path | None], root: Path) -> None:
    """Make sure that each file can be written, and is no manifest of the root. What they hold stays as it is.

    Raises UsageFailure for the same file twice, and for one that would be read as a manifest; Failure for one that
    cannot be written.
    """
    named = [file for file in files if file is not None]
    places = [file.resolve() for file in named]
    if len(set(places)) < len(places):
        raise UsageFailure(f"{named[0]} is named twice", "give each result a file of its own")
    for file, place in zip(named, places, strict=True):
        if place.is_relative_to(root.resolve()) and is_manifest_path(place.relative_to(root.resolve()).as_posix()):
            raise UsageFailure(f"{file} would be read as a manifest", "write it outside of the root, or not as .yaml")
        if file.exists() and not file.is_file() and not file.is_dir():
            continue  # a pipe or a device: to open it is to use it
        new = not os.path.lexists(file)
        try:
            with file.open("a", encoding="utf-8"):
                pass
        except OSError as error:
            raise Failure(
                f"{file} cannot be written: {error.strerror}",
                "name a file in a folder that is there, and may be written",
            ) from None
        if new:
            file.unlink()  # what fails afterwards leaves no empty file
