"""A column that gives the target away is held, in whatever shape it comes; what cannot be checked
is named. Leaks are planted as features, and the stages `train` and `decide` run.
"""

import json
import re

import pytest

from ..made import Repository, passes
from .conftest import every_problem
from .edits import stage

PLANT = '''

_own = features


def features(rows: pl.DataFrame) -> pl.DataFrame:
    """The features, and columns that know the target."""
    x = _own(rows)
    if "{target}" not in rows.columns:
        return x
    lot = pl.int_range(pl.len(), dtype=pl.UInt64).hash(7) % 1000
    return x.with_columns(rows.select({target}=pl.col("{target}"), lot=lot).select({leaks}))
'''
TARGETS = {
    "classification": "outcome",
    "regression": "price",
    "ranking": "wanted",
    "answering": "intent",
}
LEAKS = {
    "classification": {
        "happened": '(pl.col("outcome") != "stays").cast(pl.Int64)',
        "missing": 'pl.when(pl.col("outcome") != "stays").then("lot")',
        "middle": 'pl.when(pl.col("outcome") != "stays").then(0.5 + pl.col("lot") / 10000)'
        '.otherwise(pl.col("lot") / 1000 + pl.col("lot").is_between(450, 650))',
        "code": '((pl.col("lot") % 200 + pl.when(pl.col("outcome") != "stays").then(0)'
        ".otherwise(200)) * 7919) % 10007",
        "few": 'pl.when(pl.col("lot") < 150).then((pl.col("outcome") != "stays").cast(pl.Int64) '
        '+ pl.col("lot") % 2 * 0)',
    },
    "regression": {
        "happened": '(pl.col("price") > 100).cast(pl.Int64)',
        "amount": 'pl.when(pl.col("price") > 100).then(pl.col("price") / 1.2).otherwise("lot")',
        "few": 'pl.when(pl.col("lot") < 50).then(pl.col("price"))',
    },
    "ranking": {
        "happened": 'pl.col("wanted").is_in(["", "-"]).not_().cast(pl.Int64)',
        "first": 'pl.col("wanted").str.extract(r"^([^:]+)")',
        "decoys": 'pl.col("wanted").str.replace_all(r":\\S+", ",") + pl.lit("tempo")',
        "few": 'pl.when(pl.col("lot") < 100).then(pl.col("wanted").str.extract(r"^([^:]+)"))',
    },
    "answering": {
        "happened": '(pl.col("intent") == "none").cast(pl.Int64)',
        "one": '(pl.col("intent") == "invoice").cast(pl.Int64)',
        "few": 'pl.when(pl.col("lot") < 100).then(pl.col("intent").cast(pl.String))'
        '.otherwise(pl.col("lot").cast(pl.String))',
    },
}
"""For each kind of problem, features that know something of the target."""


def plant(repository: Repository, leaks: dict[str, str]) -> None:
    """Add features that know the target."""
    columns = ", ".join(f"{name}={leak}" for name, leak in leaks.items())
    text = PLANT.format(target=TARGETS[repository.problem], leaks=columns)
    repository.append(repository.code("features"), text)


def change(repository: Repository, expression: str) -> None:
    """Change the target of training and validation rows."""
    target = TARGETS[repository.problem]
    script = f"""
import polars as pl
for name in ("train", "validation"):
    rows = pl.read_parquet(f"data/{{name}}.parquet")
    lot = pl.int_range(pl.len(), dtype=pl.UInt64).hash(3) % 1000
    rows.with_columns({target}={expression}).write_parquet(f"data/{{name}}.parquet")
"""
    passes(repository.run("python", "-c", script))


CHANGES = {
    "classification": 'pl.when((pl.col("outcome") == "leaves") & (lot < 400))'
    '.then(pl.lit("shrinks")).otherwise(pl.col("outcome").cast(pl.String))',
    "regression": 'pl.when(lot < 700).then(100.0).otherwise("price")',
}
"""What makes the target one where something happened to some: three classes; zero or an amount."""


@every_problem
def test_leaks_of_every_shape_are_held_and_the_strongest_features_shown(
    repository: Repository,
) -> None:
    problem = repository.problem
    if problem in CHANGES:
        change(repository, CHANGES[problem])
    if problem == "classification":  # boosting of three classes takes no constraint
        known = "monotonic_cst={name: -sign for name, sign in DIRECTION.items()},"
        repository.edit(repository.code("model"), known, "")
    plant(repository, LEAKS[problem])
    stage(repository, "train")
    training = repository.json("reports/training.json")
    powers = {each["feature"]: each for each in training["leaks"]}
    assert powers.keys() == LEAKS[problem].keys(), training["strongest"]
    strongest = training["strongest"]
    figures = [each["auc"] or 0.0 for each in strongest]
    assert figures == sorted(figures, reverse=True)
    assert training["not_checked"] == []
    stage(repository, "decide")
    decision = repository.json("reports/decision.json")
    assert decision["verdict"] == "hold"
    for name in LEAKS[problem]:
        [reason] = [words for words in decision["reasons"] if f"`{name}` alone" in words]
        assert f" for {powers[name]['tells']}): a suspected leak" in reason
    stage(repository, "report")
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    for name in LEAKS[problem]:
        assert re.search(rf"^\| {name} \| [01]\.\d{{3}} \| .+ \| \*\*no reason", report, re.M)


def test_the_strongest_features_are_shown_where_none_is_a_leak(repository: Repository) -> None:
    strongest = repository.json("reports/training.json")["strongest"]
    assert len(strongest) == 5
    assert repository.json("reports/training.json")["leaks"] == []
    for name in ("report.md", "report.html"):
        report = (repository.folder / "reports" / name).read_text(encoding="utf-8")
        section = report.partition("Suspected leaks")[2]
        assert "None of the features that were checked reaches AUC 0.99 alone." in section
        for each in strongest:
            assert each["feature"] in section
            assert f"{each['auc']:.3f}" in section


@pytest.mark.parametrize("positives", [3, 12])
def test_a_rare_class_is_checked_or_named(repository: Repository, positives: int) -> None:
    few = f'pl.when((pl.col("outcome") == "leaves").cum_sum() <= {positives})'
    change(
        repository,
        f'{few}.then(pl.col("outcome").cast(pl.String)).otherwise(pl.lit("stays"))',
    )
    plant(repository, {"happened": LEAKS["classification"]["happened"]})
    stage(repository, "train")
    training = repository.json("reports/training.json")
    stage(repository, "report")
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    section = report.partition("## Suspected leaks")[2].partition("\n## ")[0]
    named = "leaves: not checked: 3 positives"
    if positives == 3:
        assert training["not_checked"] == [{"group": "leaves", "rows": 3}]
        assert {each["auc"] for each in training["strongest"]} == {None}
        assert named in section
        assert "None of" not in section
    else:
        assert [leak["feature"] for leak in training["leaks"]] == ["happened"]
        assert named not in section


UNIONS = """
import itertools, sys
import numpy as np, polars as pl
from churn.delivery.problem import power, separation

rng = np.random.default_rng(7)
names, shares = list("abcdef"), [0.01, 0.04, 0.1, 0.2, 0.25, 0.4]
y = pl.Series("y", rng.choice(names, size=6_000, p=shares))
alone = pl.Series("row", range(len(y)))
rows = separation.choose_rows(power.label(y), 4_000)
assert len(rows) < 4_000 and (y[rows] == "a").sum() == (y == "a").sum()
groups = separation.build_groups(power.label(y), rows, alone.gather(rows), 7)
for size in (1, 2, 3):
    for union in itertools.combinations(names, size):
        within = y.is_in(union).to_numpy()
        off = within ^ (rng.random(len(y)) < 0.0005)
        for leak in (off * 1.0, np.where(off, rng.normal(5, 1, len(y)), rng.normal(0, 1, len(y)))):
            value = power.measure(pl.Series("x", leak)[rows], y[rows], groups).value
            assert value >= 0.99, (union, value)
half = pl.Series("x", y.is_in(["a", "b"]).to_numpy() & (rng.random(len(y)) < 0.5))
assert power.measure(half[rows], y[rows], groups).value < 0.9
"""


def test_any_classes_that_a_feature_tells_from_the_others_are_noticed(
    repository: Repository,
) -> None:
    passes(repository.run("python", "-c", UNIONS))


CALIBRATIONS = """
import json
import numpy as np, polars as pl
from churn.delivery.problem import training
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.naive_bayes import GaussianNB

rng = np.random.default_rng(0)

def draw(n):
    x = rng.normal(size=(n, 8))
    odds = np.column_stack([
        np.zeros(n), x[:, 0] + x[:, 1] * x[:, 2] / 2 - 1.2, x[:, 3] + x[:, 0] / 2 - 4.9,
    ])
    p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    which = (p.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    return pl.DataFrame(x), pl.Series(np.array(["stays", "less", "fraud"])[which])

rows, others = draw(6_000), draw(2_000)
candidates = {
    "boosting": HistGradientBoostingClassifier(max_iter=60, random_state=0),
    "bayes": GaussianNB(),
}
for name, one in candidates.items():
    model, tried = training.fit(one, *rows, *others)
    assert training.predict(model, others[0]).columns == ["p_fraud", "p_less", "p_stays"]
    print(json.dumps([each._asdict() for each in tried]))
"""


def test_a_calibration_is_chosen_that_does_no_harm(repository: Repository) -> None:
    completed = repository.run("python", "-c", CALIBRATIONS)
    passes(completed)
    boosting, bayes = (json.loads(line) for line in completed.stdout.splitlines())
    for tried in (boosting, bayes):
        ways = {each["method"]: each for each in tried}
        [chosen] = [each for each in tried if each["chosen"]]
        assert list(ways) == ["none", "temperature", "sigmoid"]  # too few of a class for more
        assert chosen["auc"] >= ways["none"]["auc"] - 0.01
        assert chosen["log_loss"] <= ways["none"]["log_loss"]
    assert [each["method"] for each in boosting if each["chosen"]] == ["temperature"]
    assert [each["method"] for each in bayes if each["chosen"]] == ["none"]


SEPARABLE = """
import numpy as np, polars as pl
from churn.delivery.problem import training
from sklearn.linear_model import LogisticRegression
y = np.array(["leaves", "stays"], dtype=object)[np.arange(200) % 2]
x = pl.DataFrame({"x": np.arange(200) % 2 + 0.001 * np.arange(200)})
model, tried = training.fit(LogisticRegression(), x, pl.Series(y), x, pl.Series(y))
print([each.method for each in tried], training.predict(model, x)["p_leaves"].max())
"""


def test_rows_without_an_error_make_no_answer_certain(repository: Repository) -> None:
    """A temperature would go beyond all bounds there."""
    completed = repository.run("python", "-c", SEPARABLE)
    passes(completed, "['none', 'sigmoid'] 0.")
    assert float(completed.stdout.split()[-1]) < 0.9999


def test_calibration_before_and_after_is_reported(repository: Repository) -> None:
    tried = repository.json("reports/training.json")["calibration"]
    assert [each["method"] for each in tried][:3] == ["none", "temperature", "sigmoid"]
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    for each in tried:
        name = "none (before)" if each["method"] == "none" else each["method"]
        note = "chosen" if each["chosen"] else ""
        line = f"| {name} | {each['log_loss']:.4f} | {100 * each['apart']:.1f} points | "
        assert f"{line}{each['auc']:.3f} | {note} |" in report
