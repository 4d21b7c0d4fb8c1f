"""Does a document have the shape of its JSON Schema? If not: every problem, in our words, at its place."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, cast

from reconciler.errors import Problem
from reconciler.manifests.accept import acceptor
from reconciler.manifests.marks import Document, render_path
from reconciler.manifests.schema import Kind, validator
from reconciler.manifests.typed import Typed, form, typed
from reconciler.manifests.words import Broken, Subject, Wrong, explain

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_REPORTED = 100


def check_shape(document: Document, kind: Kind) -> tuple[Typed, tuple[Problem, ...]]:
    """Return the document with its numbers and nulls, and what is wrong with its shape: at most 100 problems.

    jsonschema is only loaded, and only asked, where something is wrong.
    """
    value = typed(document.value, document.marks, form(kind))
    if acceptor(kind)(value):
        return value, ()
    errors = list(islice(validator(kind).iter_errors(value), _REPORTED))
    subject = Subject(document, kind, form(kind))
    wrong = (each for error in _first_of_each_value(errors) for each in explain(_broken(error), subject))
    # A rule that asks for two keys is two errors, each of which is explained with both: a dict drops the repeated.
    found = dict.fromkeys(_problem(document, each) for each in islice(wrong, _REPORTED))
    if max(len(errors), len(found)) == _REPORTED:
        message, hint = "there are more problems with the shape of this document", "mend the others first"
        found[_problem(document, Wrong((), None, message, hint))] = None
    return value, tuple(found)


def _first_of_each_value(errors: list[ValidationError]) -> list[ValidationError]:
    # A value of the wrong type breaks other rules too; those say nothing more.
    mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
    return [error for error in errors if error.validator == "type" or tuple(error.absolute_path) not in mistyped]


def _broken(error: ValidationError) -> Broken:
    schema = error.schema if isinstance(error.schema, dict) else {}
    return Broken(
        path=tuple(error.absolute_path),
        rule=str(error.validator),
        wanted=cast("object", error.validator_value),
        given=cast("Typed", error.instance),
        says=str(schema.get("patternErrorMessage", "is not written as it should be")),
        of_key="propertyNames" in error.absolute_schema_path,
    )


def _problem(document: Document, wrong: Wrong) -> Problem:
    if wrong.key is None:
        line, column = document.place(wrong.path)
    else:
        line, column = document.key_place(wrong.path, wrong.key)
    return Problem(document.file, line, column, render_path(wrong.path), wrong.message, wrong.hint)
