"""Edits by syntax tree survive new names and words, and say what they cannot find."""

import pytest

from .mutate import Place, edited

OLD = """
LIMIT: float = 0.5


def judge(rows: list[int], limit: float) -> str:
    chosen = rows[len(rows) // 2 :]
    if sum(chosen) > limit:
        return "hold"
    return "ship"


def other(rows: list[int]) -> int:
    return rows[1:][0]
"""
NEW = OLD.replace("chosen", "latter_half").replace("limit:", "most:").replace("> limit", "> most")
JUDGE = Place("a.py", "judge")


@pytest.mark.parametrize("code", [OLD, NEW])
def test_an_edit_survives_other_names(code: str) -> None:
    later = edited(code, JUDGE, "A[B:]", "A[B + 9:]")
    assert later.count("rows[len(rows) // 2 + 9:]") == 1
    assert "rows[1:][0]" in later
    assert "> 1:" in edited(code, JUDGE, "sum(A) > B", "sum(A) > 1")
    assert "return ''" in edited(code, JUDGE, 'return "hold"', 'return ""')
    assert "= 0.1" in edited(code, Place("a.py", "LIMIT"), "0.5", "0.1")


@pytest.mark.parametrize(
    ("name", "pattern", "words"),
    [
        ("judge", "A[:B]", "expected one `A[:B]` in judge, found 0"),
        ("judge", "A > A", "expected one `A > A` in judge, found 0"),
        ("", "A[B:]", "expected one `A[B:]` in the module, found 2"),
        ("judged", "A[B:]", "one definition of judged, found 0 among LIMIT, judge, other. Next: "),
    ],
)
def test_what_cannot_be_found_is_named(name: str, pattern: str, words: str) -> None:
    with pytest.raises(AssertionError) as error:
        edited(OLD, Place("a.py", name), pattern, "A")
    assert words in str(error.value)
