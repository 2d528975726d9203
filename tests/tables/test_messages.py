"""A message about rows in quarantine shows all reasons, a value and its line; nothing personal."""

import gzip
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest

from .conftest import Rendered


class Row(dy.Schema):
    age = dy.Int64(min=0)
    email = dy.String(regex="@")


def test_all_reasons_are_shown_with_a_value_its_count_and_its_line(rendered: Rendered) -> None:
    ages = ["n", "-1", "n", "30", "-2", "40"]
    raw = pl.DataFrame({"age": ages, "email": ["a@b"] * 4 + ["nobody"] * 2}).with_row_index("row")
    _, wrong = rendered.load("tables.conform").to_contract(raw, Row)
    describe = rendered.load("tables.quarantine").describe_reasons
    assert describe(wrong, ["email"], lambda row: f"line {row + 2}") == (
        "age is below the minimum (2 rows): '-1', 1 times, first in line 3; "
        "age is not a whole number (2 rows): 'n', 2 times, first in line 2; "
        "email is not in the required form (2 rows): first in line 6"
    )
    assert "'nobody', 2 times" in describe(wrong, [])


SOURCES = {
    "t.csv.gz": gzip.compress(b'about\n\n\nat,b\n5,\n6,"x\ny"\n8,"\n\n"\n11,z\n'),
    "t.jsonl": b'{"at": "1", "b": "x\\ny"}\r\n{"at": "2"}\n{"at": "3", "b": ""}\n\n',
    "t/a.csv": b'at,b\n"a.csv, line 2","\n"\n"a.csv, line 4",\n',
    "t/b/b.tsv": b"at\tb\nb/b.tsv, line 2\t\n",
    "t/c.ndjson": b'{"at": "c.ndjson, line 1", "b": ""}\n{"at": "c.ndjson, line 2"}\n',
    "t/d.jsonl": b'{"at": "d.jsonl", "b": ""}\n\n{"at": "d.jsonl"}\n',  # blank: which line?
}


@pytest.mark.parametrize("source", ["t.csv.gz", "t.jsonl", "t", "t.xlsx"])
def test_a_row_is_found_by_its_line_in_its_file(
    rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in SOURCES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)
    rows = [["Title", None], ["at", "b"], ["3", "x\ny"], ["4", None]]
    pl.DataFrame(rows, ["m", "n"], orient="row").write_excel("t.xlsx", include_header=False)
    pl.DataFrame({"at": ["e.parquet"], "b": [""]}).write_parquet("t/e.parquet")
    Path("params.yaml").write_text(f"ingest: {{source: {source}}}\n")
    assert rendered.load("pipeline.ingest").main(["params.yaml", "raw.parquet"]) == 0
    lines, ingest = rendered.load("tables.lines"), rendered.load("tables.read").Ingest
    raw = pl.read_parquet("raw.parquet").with_row_index("row")
    seen = rendered.load("pipeline.validate").read_seen(Path("raw.parquet"))
    parts = lines.read_parts(Path("raw.parquet"), ingest(source=source), seen.get("skip", 0))
    places = [lines.find_line(row, raw, parts) for row in range(raw.height)]
    is_named = source == "t"
    assert places == [at if is_named else f"line {at}" for at in raw["at"]]
    assert lines.find_line(0, raw, []) == ""
