"""`serve` with the libraries of the image and no others, and `canaries` against it."""

import shutil
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from ..champion.conftest import Shared, blocks
from ..made import UV, call, fixable, passes, says_no
from ..ports import free_port
from .running import Serving, command, serving

SERVE, CANARIES = blocks("container.md")["Try the service without a container"]
SHARE = 0.5  # of the full environment: measured 0.45; the most of it is polars, scipy, numpy
READY = 4.0  # seconds


def asking(repository: Shared, url: str) -> list[str]:
    """The page's words for `canaries`, about a service that has another port here."""
    assert CANARIES.startswith("uv run ")
    return CANARIES.replace("http://127.0.0.1:8000", url).removeprefix("uv run ").split()


def megabytes(folder: Path) -> float:
    """What the files of an environment come to, without bytecode; links are not followed."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc") / 1e6


@pytest.fixture(scope="module")
def up(service: Path, untouched: dict[str, Shared]) -> Iterator[Serving]:
    """The service of champion-1."""
    port = free_port()
    words = [*command(service), *SERVE.partition(" serve ")[2].replace("8000", str(port)).split()]
    with serving(words, untouched["champion-1"].folder, port) as process:
        yield process


def test_the_environment_of_the_service_has_neither_dvc_nor_mlflow(service: Path) -> None:
    (installed,) = service.glob("lib/python*/site-packages")
    names = {path.name.partition("-")[0].lower() for path in installed.glob("*.dist-info")}
    assert {"fastapi", "polars", "scikit_learn"} <= names
    assert names & {"dvc", "mlflow", "mlflow_skinny", "matplotlib", "pytest", "churn"} == set()


def test_it_is_much_smaller_than_the_full_one(
    service: Path, environment: Path, untouched: dict[str, Shared]
) -> None:
    own = {"UV_PROJECT_ENVIRONMENT": str(environment)}
    passes(call(untouched["the rule"].folder, UV, "sync", "--frozen", **own))
    small, full = megabytes(service), megabytes(environment)
    print(f"service {small:.0f} MB, full {full:.0f} MB: {small / full:.0%}")
    assert small <= SHARE * full


def test_it_is_ready_in_time_and_answers(up: Serving) -> None:
    print(f"ready after {up.seconds:.1f} s, of which {up.cpu:.1f} s of processor time")
    assert up.cpu <= READY  # and not the seconds: other tests run beside this one
    assert up.get("/health") == {"status": "ok"}
    assert up.get("/ready")["champion"] == "champion-1"
    (example,) = up.get("/openapi.json")["components"]["schemas"]["Rows"]["examples"]
    reply = up.post("/predict", example)
    assert reply["champion"] == "champion-1"
    assert 0 < reply["answers"][0]["model"]["p_leaves"] < 1
    assert reply["answers"][0]["action"] in {"call", "none"}
    with pytest.raises(urllib.error.HTTPError, match="422"):
        up.post("/predict", {"rows": [example["rows"][0] | {"region": "moon"}]})


def test_canaries_are_answered_as_kept(up: Serving, promoted: Shared) -> None:
    completed = promoted.run(*asking(promoted, up.url))
    passes(completed, "champion-1 answers 20 canary rows as on the day it was made")


def test_a_score_that_was_changed_is_named(up: Serving, promoted: Shared) -> None:
    file = promoted.folder / "models/champion/canaries.parquet"
    kept = pl.read_parquet(file)
    was = kept["p_leaves"][3]
    expected = was + 1e-6
    scores = pl.when(pl.int_range(pl.len()) == 3).then(expected).otherwise("p_leaves")
    kept.with_columns(p_leaves=scores).write_parquet(file)
    completed = promoted.run(*asking(promoted, up.url))
    says_no(
        completed, f"canaries.parquet, row 3: expected p_leaves {expected}, found {was}", up.url
    )


def test_a_row_that_the_service_refuses_is_named(up: Serving, promoted: Shared) -> None:
    file = promoted.folder / "models/champion/canaries.parquet"
    older = pl.lit(-1, pl.Int64)
    pl.read_parquet(file).with_columns(tenure_months=older).write_parquet(file)
    says_no(promoted.run(*asking(promoted, up.url)), "row 0", "found 422", "tenure_months")


def test_another_champion_than_the_one_here_is_named(up: Serving, started: Shared) -> None:
    completed = started.run(*asking(started, up.url))
    says_no(completed, "row 0: expected the rule to answer, found champion-1")


def test_while_the_rule_is_in_charge_its_canaries_are_sent(
    service: Path, untouched: dict[str, Shared]
) -> None:
    here, port = untouched["the rule"], free_port()
    with serving([*command(service), "--port", str(port)], here.folder, port) as rule:
        passes(here.run(*asking(here, rule.url)), "the rule answers 20 canary rows")


def test_where_nothing_answers_somebody_has_to_start_it(started: Shared, nobody: str) -> None:
    url = f"http://{nobody}"
    fixable(started.run("churn", "canaries", url), url, "expected a service", "--wait")
    fixable(started.run("churn", "canaries", "localhost"), "expected an address")


def test_only_the_champion_of_the_commit_is_built_in(
    promoted: Shared, untouched: dict[str, Shared], tmp_path: Path
) -> None:
    started = untouched["the rule"].copy(tmp_path / "rule")

    def built_in(repository: Shared, *announced: str) -> list[str]:
        return ["python", "-m", "churn.delivery.service.built_in", *announced]

    passes(promoted.run(*built_in(promoted)), "champion-1")
    passes(started.run(*built_in(started, "the rule")), "the rule")
    fixable(promoted.run(*built_in(promoted, "champion-2")), "expected champion-1", "champion-2")
    rule = started.folder / "models/rule/card.json"
    rule.chmod(0o644)
    rule.write_text(rule.read_text() + "\n")
    fixable(started.run(*built_in(started)), "models/rule: expected the folder of this commit")
    other = promoted.folder / "models/champion"
    shutil.rmtree(other)
    shutil.copytree(promoted.folder / "models/challenger", other)
    fixable(promoted.run(*built_in(promoted)), "models/champion: expected the folder of this")
