"""Whatever the bytes are: no traceback, sound problems, and requests only where nothing is wrong."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.manifests.root import Reading, read_root
from tests.examples import examples
from tests.manifests.roots import CONFIG, EXAMPLES, FULL_CONFIG, MANIFEST

PIECES = st.one_of(
    st.sampled_from(
        [
            "\n",
            "\t",
            "  ",
            ": ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            "'",
            '"',
            "&a ",
            "*a",
            "!!x ",
            "<<: ",
            "---\n",
            "...\n",
            "%",
            "|\n",
        ]
    ),
    st.sampled_from(
        [
            "\r",
            "\x00",
            "\u2028",
            "\ufeff",
            "\u202e",
            "\\",
            "~",
            "null",
            "2026-01-20 00:00:00",
            "?",
            "#",
            ",",
            "`",
            "9" * 30,
        ]
    ),
    st.text(max_size=5),
)


def _check(reading: Reading) -> None:
    failed = any(problem.severity == "error" for problem in reading.problems)
    assert (reading.declared is None) == failed
    assert list(reading.problems) == sorted(reading.problems)
    for problem in reading.problems:
        assert problem.message
        assert problem.hint
        assert (problem.message + problem.hint + problem.path).isprintable()


@st.composite
def _mutated(draw: st.DrawFn, text: str) -> bytes:
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 12)))
        text = text[:at] + draw(PIECES) + text[end:]
    return text.encode("utf-8", "surrogatepass")


@given(st.binary(max_size=200))
@settings(max_examples=examples(100), deadline=None)
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    _check(read_root({"reconciler.yaml": CONFIG.encode(), "a.yaml": data}))
    _check(read_root({"reconciler.yaml": data, "a.yaml": MANIFEST.encode()}))


@given(st.text(max_size=60))
@settings(max_examples=examples(100), deadline=None)
def test_arbitrary_text_never_raises(text: str) -> None:
    _check(read_root({"reconciler.yaml": CONFIG.encode(), "a.yaml": text.encode("utf-8", "surrogatepass")}))


@given(_mutated(MANIFEST))
@settings(max_examples=examples(150), deadline=None)
def test_a_damaged_manifest_never_raises(data: bytes) -> None:
    _check(read_root({"reconciler.yaml": FULL_CONFIG.encode(), "a.yaml": data}))


@given(_mutated(FULL_CONFIG))
@settings(max_examples=examples(150), deadline=None)
def test_a_damaged_config_never_raises(data: bytes) -> None:
    _check(read_root({"reconciler.yaml": data, "a.yaml": MANIFEST.encode()}))


@given(st.data())
@settings(max_examples=examples(60), deadline=None)
def test_a_file_cut_short_never_raises(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted((EXAMPLES / "good").iterdir())))
    whole = path.read_bytes()[:2000]
    _check(read_root({"reconciler.yaml": CONFIG.encode(), "a.yaml": whole[: data.draw(st.integers(0, len(whole)))]}))
