"""A table in a file is read as it is written, or refused with a message; nothing is dropped."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl
import pytest

from .conftest import Rendered

ROWS = [("Ä b", "1.5"), ('say "x", y\nz', "2"), ("", "30")]
HEADER = "name,n\n"
PLAIN = HEADER + 'Ä b,1.5\n"say ""x"", y\nz",2\n,30\n'
EXPECTED = [("Ä b", "1.5"), ('say "x", y\nz', "2"), (None, "30")]


def write_with(separator: str) -> str:
    """The same rows with another separator."""
    return f'name{separator}n\nÄ b{separator}1.5\n"say ""x"", y\nz"{separator}2\n{separator}30\n'


FILES: dict[str, tuple[str, bytes, dict[str, Any]]] = {
    "plain": ("t.csv", PLAIN.encode(), {}),
    "capital letters": ("t.CSV", PLAIN.encode(), {}),
    "Windows": ("t.csv", PLAIN.replace("\n", "\r\n").encode(), {}),
    "semicolons": ("t.csv", write_with(";").encode(), {"separator": ";"}),
    "bars": ("t.txt", write_with("|").encode(), {"separator": "|"}),
    "tabs": ("t.tsv", write_with("\t").encode(), {"separator": "\t"}),
    "a mark": ("t.csv", PLAIN.encode("utf-8-sig"), {}),
    "Latin-1": ("t.csv", PLAIN.encode("latin-1"), {"encoding": "cp1252"}),
    "UTF-16": ("t.csv", PLAIN.encode("utf-16"), {"encoding": "utf-16"}),
    "UTF-16 without a mark": ("t.csv", PLAIN.encode("utf-16-le"), {"encoding": "utf-16-le"}),
    "old Mac": ("t.csv", b"name,n\r\xc3\x84 b,1.5\r", {}),
    "gz": ("t.csv.gz", gzip.compress(PLAIN.encode()), {}),
    "gz in UTF-16": ("t.csv.GZ", gzip.compress(PLAIN.encode("utf-16")), {"encoding": "utf-16"}),
    "a preamble": ("t.csv", f"Report of May\n\n{PLAIN}".encode(), {"skip": 2}),
    "a total": ("t.csv", f"{PLAIN}Total,33.5\n".encode(), {"skip_last": 1}),
    "a note": ("t.csv", f"{PLAIN}\n(3 rows affected)\n".encode(), {"skip_last": 1}),
    "JSON lines": (
        "t.jsonl",
        "".join(json.dumps({"name": a or None, "n": float(b)}) + "\n" for a, b in ROWS).encode(),
        {},
    ),
}
"""Files by how they are written: name, content, and what has to be said of them."""


@pytest.fixture
def read(
    rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pl.DataFrame]:
    """`read("t.csv", separator=";")`: the source as ingest has it."""
    monkeypatch.chdir(tmp_path)
    sources, settings = rendered.load("tables.sources"), rendered.load("tables.read")
    return lambda source, **how: sources.read_source(
        settings.Ingest(source=source, read=settings.Read(**how))
    )


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_as_it_is_written(
    rendered: Rendered, read: Callable[..., pl.DataFrame], tmp_path: Path, name: str
) -> None:
    file, content, seen = FILES[name]
    (tmp_path / file).write_bytes(content)
    rows = read(file)
    assert rows.columns == ["name", "n"]
    expected = EXPECTED[:1] if name == "old Mac" else EXPECTED
    names = rows["name"].str.replace("\r\n", "\n", literal=True)
    # a blank line is a row without values
    assert rows.with_columns(names).drop_nulls("n").rows() == expected
    settings = rendered.load("tables.read")
    table = rendered.load("tables.files").scan_file(Path(file), settings.Read(), tmp_path / "s")
    assert table.seen == seen
    assert settings.Read(**seen).model_dump(exclude_none=True) == seen
    if seen:
        assert read(file, **seen).rows() == rows.rows()


def test_zst_is_read(read: Callable[..., pl.DataFrame], tmp_path: Path) -> None:
    pl.DataFrame({"a": ["x,y", 'q"'], "b": ["1", "2"]}).lazy().sink_csv(
        tmp_path / "t.csv.zst", compression="zstd"
    )
    assert read("t.csv.zst").rows() == [("x,y", "1"), ('q"', "2")]


SCRIPT = "expected to run, found"
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "nothing": ("t.csv", b"", "t.csv: expected rows, found an empty table"),
    "blanks": ("t.csv", b"\n  \n", "t.csv: expected rows, found an empty table"),
    "the same name twice": ("t.csv", b"x,y,x\n1,2,3\n", "t.csv, line 1: expected each column once"),
    "a truncated gz": ("t.csv.gz", gzip.compress(PLAIN.encode())[:-9], "t.csv.gz: expected"),
    "no gz": ("t.csv.gz", b"a,b\n", "t.csv.gz: expected a table, found Not a gzipped file"),
    "bytes": ("t.csv", bytes(range(256)) * 9, "t.csv: expected text, found bytes that are none"),
    "bytes of no encoding": (
        "t.csv",
        b"a,b\n1,\x81\n",
        "expected cp1252 text, found a byte",
    ),
    "no Parquet": ("t.parquet", b"PAR1", "t.parquet: expected a table, found"),
    "another table": ("t.sas7bdat", b"x", "t.sas7bdat: expected .py or a table ("),
    "no suffix": ("t", b"x", "t: expected .py or a table ("),
    "too many values": ("t.csv", b"a,b\n1,2\n3,4,5\n", "t.csv: expected a table, found"),
    "no JSON": ("t.jsonl", b'{"a": 1}\n{"a"\n', "t.jsonl, line 2: expected a JSON object, found"),
    "a JSON list": ("t.jsonl", b"[1]\n", "t.jsonl, line 1: expected a JSON object, found another"),
    "a name twice in JSON": (
        "t.jsonl",
        b'{"a": 1, "a": 2}\n',
        "found the name 'a' twice",
    ),
    "a script without rows": ("t.py", b"x = 1\n", "t.py: expected a function `rows`, found none"),
    "a script that does not run": ("t.py", b"x =\n", f"t.py, line 1: {SCRIPT} SyntaxError"),
    "a script that fails": ("t.py", b"def rows():\n    1 / 0\n", f"t.py, line 2: {SCRIPT} Zero"),
    "a list": ("t.py", b"def rows():\n    return []\n", "DataFrame from rows(), found list"),
    "nothing at all": ("t.py", b"def rows():\n    pass\n", "from rows(), found NoneType"),
    "a plan": (
        "t.py",
        b"import polars as pl\ndef rows():\n    return pl.LazyFrame()\n",
        "from rows(), found LazyFrame",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_by_name(
    rendered: Rendered, read: Callable[..., pl.DataFrame], tmp_path: Path, name: str
) -> None:
    file, content, words = REFUSED[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(rendered.load("edge.errors").Fixable) as error:
        read(file)
    assert words in str(error.value)
    assert "Next: " in str(error.value)


def test_every_file_of_a_folder_is_read_or_refused_by_name(
    rendered: Rendered, read: Callable[..., pl.DataFrame], tmp_path: Path
) -> None:
    folder = tmp_path / "t"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.CSV").write_text("x,y\n1,2\n")
    (folder / "b.csv.gz").write_bytes(gzip.compress(b"y;x\n4;3\n"))
    pl.DataFrame({"x": ["5"], "y": ["6"]}).write_parquet(folder / "deep/c.parquet")
    for beside in (".gitignore", "_SUCCESS", "a.CSV.dvc"):
        (folder / beside).write_text("x")
    assert read("t").rows() == [("1", "2"), ("3", "4"), ("5", "6")]
    (folder / "notes.md").write_text("x")
    (folder / "z.csv").symlink_to("nothing")
    fixable = rendered.load("edge.errors").Fixable
    with pytest.raises(fixable, match=r"t: expected tables only .* found notes.md, z.csv\."):
        read("t")
    for name in ("notes.md", "z.csv"):
        (folder / name).unlink()
    (folder / "d.csv").write_text("x,z\n1,2\n")
    with pytest.raises(fixable, match=r"d.csv: expected tables with the same columns.* `y`, `z`"):
        read("t")


class Row(dy.Schema):
    n = dy.Float64(nullable=True)
    day = dy.Date(nullable=True)
    name = dy.String(nullable=True)


US: dict[str, Any] = {"dates": ["%m/%d/%Y"]}
COMMA: dict[str, Any] = {"decimal": ","}
Cells = list[str | None]
WRITTEN: dict[str, tuple[Cells, Cells, dict[str, Any], list[float | None], dict[str, Any]]] = {
    "plain": (["1.5", "4.507"], ["2024-05-13", None], {}, [1.5, 4.507], {}),
    "German": (
        ["1.234,5", "4.507"],
        ["13.05.2024", "-"],
        {},
        [1234.5, 4507.0],
        {"decimal": ",", "dates": ["%d.%m.%Y"], "missing": ["-"]},
    ),
    "American": (
        ["$1,234.50", "$7"],
        ["05/13/2024", ""],
        {},
        [1234.5, 7.0],
        {"dates": ["%m/%d/%Y"]},
    ),
    "percent": (["12 %", "NA"], ["2024-05-13", "?"], {}, [12.0, None], {"missing": ["?", "NA"]}),
    "Swiss": (["1'234.5", "7"], ["13.05.2024", None], {}, [1234.5, 7.0], {"dates": ["%d.%m.%Y"]}),
    "French": (["1\u202f234,5", "7"], ["13/05/2024", None], {}, [1234.5, 7.0], {"decimal": ","}),
    "said": (
        ["4.507", "1"],
        ["13.05.2024", None],
        {"decimal": ","},
        [4507.0, 1.0],
        {"decimal": ","},
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_numbers_and_dates_are_read_by_agreement_of_the_column(
    rendered: Rendered, name: str
) -> None:
    numbers, days, settings, expected, seen = WRITTEN[name]
    conform, read = rendered.load("tables.conform").conform, rendered.load("tables.read").Read
    raw = pl.DataFrame({"row": [0, 1], "n": numbers, "day": days, "name": numbers})
    result = conform(raw.cast({"row": pl.UInt32}), Row, read(**settings))
    assert result.quarantined.is_empty()
    assert result.valid["n"].to_list() == expected
    assert str(result.valid["day"][0]) == "2024-05-13"
    assert result.valid["name"].to_list() == numbers  # a text is a text
    assert seen.items() <= result.read.items()


def test_what_can_be_read_in_two_ways_is_asked_all_at_once(rendered: Rendered) -> None:
    conform, read = rendered.load("tables.conform").conform, rendered.load("tables.read").Read
    raw = pl.DataFrame({"n": ["4,507"], "day": ["03/04/2024"], "name": [""]}).with_row_index("row")
    with pytest.raises(rendered.load("edge.errors").Fixable) as error:
        conform(raw, Row)
    first, second = str(error.value).splitlines()
    assert first.startswith(
        "`n`: expected values that can be read in one way only, found some like"
    )
    assert "dates: ['%d/%m/%Y'] or dates: ['%m/%d/%Y']" in second
    assert "4,507" not in first
    assert "03/04" not in second
    earlier = read(decimal=",", dates=["%m/%d/%Y"])
    valid, _ = rendered.load("tables.conform").to_contract(raw, Row, earlier=earlier)
    assert valid["n"].to_list() == [4.507]
    assert str(valid["day"][0]) == "2024-03-04"
    with pytest.raises(rendered.load("edge.errors").Fixable, match="`n`"):
        conform(raw.with_columns(n=pl.lit("4.507"), day=None), Row, read(separator=";"))


def test_a_missing_word_where_a_value_must_be_is_a_reason(rendered: Rendered) -> None:
    row: type[dy.Schema] = type("Strict", (dy.Schema,), {"n": dy.Int64()})
    raw = pl.DataFrame({"n": ["NA", "1"]}).with_row_index("row")
    _, wrong = rendered.load("tables.conform").to_contract(raw, row)
    assert wrong["reasons"].to_list() == [["n is not a whole number"]]
