"""Every verdict, reached by editing a repository and told by the gate of a pull request."""

import json
import re
import shutil

import pytest

from ..conftest import EXAMPLES, UNITS
from ..made import Repository, fixable, passes, says_no, stopped
from .conftest import every_problem
from .edits import EDITS, edit

MODEL, BRIEF = "src/churn/model.py", "project-brief.md"
RECALL = "  - {metric: recall, at_least: 0.20}\n"
GUARDRAIL = "  - {metric: recall, where: each segment, at_least: 0.15}\n"

RULE_AGAIN = """

del {name}.act  # a rule that decides nothing by itself goes through the prices, as a model does


def candidates(seed: int) -> dict[str, BaseEstimator]:
    return {{"the rule again": {name}()}}
"""
LINE_OF_MODELS = re.compile(r"  - \{metric: (?!value_per_1000).*\n")

FORGETFUL = '''

class Forgetful(ClassifierMixin, BaseEstimator):
    """Gradient boosting that never sees a risk in the north."""

    def fit(self, x: pl.DataFrame, y: Any) -> Self:
        self.inner_ = HistGradientBoostingClassifier(random_state=7).fit(x, y)
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, x: pl.DataFrame) -> NDArray[np.float64]:
        p = self.inner_.predict_proba(x)
        p[(x["region"] == "north").to_numpy()] = [0.001, 0.999]
        return p

    def predict(self, x: pl.DataFrame) -> NDArray[np.object_]:
        return self.classes_[self.predict_proba(x).argmax(axis=1)]


def candidates(seed: int) -> dict[str, BaseEstimator]:
    return {"forgetful": Forgetful()}
'''


def decided(repository: Repository, verdict: str, *words: str) -> None:
    """The pipeline runs; the gate prints this verdict and ends with its exit code; why is told."""
    passes(repository.run("dvc", "repro"), "Running stage 'decide'")
    decision = repository.json("reports/decision.json")
    assert decision["verdict"] == verdict, decision["sentence"]
    completed = repository.run(repository.package, "check")
    line = f"{'NO' if verdict == 'hold' else 'ok'}  decision: {decision['sentence']}"
    (says_no if verdict == "hold" else passes)(completed, line)
    text = "\n".join([decision["sentence"], *decision["reasons"]])
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    for word in words:
        assert word in text, f"{word!r} is not in:\n{text}"
    for reason in decision["reasons"]:
        assert reason in report


def money_alone(repository: Repository) -> None:
    """The brief keeps only the lines about money."""
    brief = (repository.folder / BRIEF).read_text(encoding="utf-8")
    lines = LINE_OF_MODELS.findall(brief)
    assert lines
    for line in lines:
        repository.edit(BRIEF, line, "")


@every_problem
def test_a_constant_in_place_of_the_challenger_is_held(repository: Repository) -> None:
    edits = EDITS[repository.problem]
    repository.append(repository.code("model"), edits.constant)
    decided(repository, "hold", "Hold: ", "(constant)", *edits.figures)
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    look = report.partition("\n## What to look at\n")[2].partition("\n## ")[0]
    assert re.search(r"\| worst slices \| \w+ \| gain per 1,000 \|\n\|.*\n(\|.* \|\n){3}", look)
    assert re.search(r"\| costs most, of all \w+ \| champion \| challenger \| gain per", look)
    assert "| target | train | validation | test |\n" in look
    levels = repository.json("reports/split.json")["test"]["target"]
    assert [name for name in levels if f"| {name} | " in look]


@every_problem
def test_shuffled_labels_are_held(repository: Repository) -> None:
    edits = EDITS[repository.problem]
    edit(repository, [edits.shuffled])
    decided(repository, "hold", "Hold: ", *edits.figures)


@every_problem
def test_a_better_challenger_ships(repository: Repository) -> None:
    assert repository.json("reports/decision.json")["verdict"] == "ship"
    words = "ok  decision: Ship: ", " more per 1,000 "
    passes(repository.run(repository.package, "check"), *words)


@every_problem
def test_a_challenger_equal_to_the_rule_is_a_refresh(repository: Repository) -> None:
    name = EDITS[repository.problem].again.removesuffix("()")
    repository.append(repository.code("model"), RULE_AGAIN.format(name=name))
    money_alone(repository)
    # In regression a candidate learns from validation rows how far off it is, and so answers anew.
    is_same = repository.problem != "regression"
    same = "The challenger (the rule again) does the same as the rule for each of "
    no_worse = "no worse than the champion by more than the margin, but not surely better"
    words = (same, ": its gain is exactly 0.") if is_same else (no_worse,)
    decided(repository, "refresh", "Refresh if you need to: ", *words)
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert "The rule does not decide by itself: its probabilities go through" in report
    assert "rule_at_prices" not in repository.json("reports/metrics.json")
    gain = repository.json("reports/decision.json")["gain"]
    actions = repository.json("reports/metrics.json")["actions"]
    assert ((gain["estimate"], gain["lower"], gain["upper"]) == (0, 0, 0)) == is_same
    assert (actions["rule"] == actions["challenger"]) == is_same
    assert sum(part["share"] for part in actions["rule"]) == pytest.approx(1)


@every_problem
def test_too_few_units_are_unclear(repository: Repository) -> None:
    count = re.compile(rf"\b{EXAMPLES[repository.problem][0]}: {UNITS} ")
    params = (repository.folder / "params.yaml").read_text(encoding="utf-8")
    [units] = count.findall(params)
    repository.edit("params.yaml", units, units.replace(str(UNITS), "150"))
    money_alone(repository)
    few = f"the test rows hold (\\d+) {EDITS[repository.problem].few}; .*(about 50|collect more)$"
    decided(repository, "unclear", "Cannot tell: ", " to tell (fewer than 50)")
    reasons = repository.json("reports/decision.json")["reasons"]
    assert [reason for reason in reasons if re.match(few, reason)], reasons


def test_a_gain_that_may_be_chance_is_unclear_and_says_how_many_units_would_tell(
    repository: Repository,
) -> None:
    repository.edit("params.yaml", "customers: 10000 ", "customers: 3500 ")
    repository.edit(BRIEF, RECALL, "")
    repository.edit(BRIEF, GUARDRAIL, "")
    decided(repository, "unclear", "Cannot tell: ", "more units would tell a gain of GBP 100")


def test_a_slice_below_its_guardrail_is_held_and_named(repository: Repository) -> None:
    repository.append(MODEL, FORGETFUL)
    repository.edit(BRIEF, RECALL, "")
    below = "recall in each segment at least 15%: region = north has 0"
    decided(repository, "hold", "Hold: ", below)
    reasons = repository.json("reports/decision.json")["reasons"]
    assert not [reason for reason in reasons if "region = south" in reason]
    test = "test_no_slice_is_below_a_guardrail_of_the_brief"
    says_no(
        repository.run("pytest", f"tests/integration/test_slices.py::{test}"),
        "region = north",
        "1 failed",
    )


@every_problem
def test_a_limit_that_a_slice_does_not_keep_is_held_and_named(repository: Repository) -> None:
    metric, label, part = EDITS[repository.problem].slices
    line = f"  - {{metric: {metric}, where: {part}, at_least: 0.999}}\n"
    repository.edit(BRIEF, "guardrails:\n", f"guardrails:\n{line}")
    decided(repository, "hold", "Hold: ", f"{label} in {part} at least 99.9%: {part} has ")
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert f"| {label} in {part} at least 99.9% | guardrail | " in report


def test_a_slice_too_small_is_named_as_unjudged(repository: Repository) -> None:
    [islands] = [
        part
        for part in repository.json("reports/slices.json")["segments"]["region"]
        if part["slice"] == "region = islands"
    ]
    assert (islands["judged"], islands["metrics"]["recall"]["lower"]) == (False, None)
    assert 0 < islands["positives"] < 50
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert [line for line in report.splitlines() if "islands" in line and "too few" in line]


@every_problem
def test_guardrails_on_slices_that_are_not_there_never_ship(repository: Repository) -> None:
    metric, label, part = EDITS[repository.problem].slices
    segment = part.partition(" = ")[0]
    line = f"  - {{metric: {metric}, where: {segment} = missing, at_least: 0.01}}\n"
    repository.edit(BRIEF, "guardrails:\n", f"guardrails:\n{line}")
    few = f"too few {EDITS[repository.problem].few} in every slice"
    reason = f"{label} in {segment} = missing at least 1%: {few}"
    decided(repository, "unclear", "Not shown yet: ", reason)
    repository.edit(BRIEF, f"{segment} = missing", f"{segment} = x")
    named = f"`guardrails.0.where`: expected a value of `{segment}` ("
    stopped(repository.run("dvc", "repro"), f"project-brief.md: {named}", "found 'x'")


def test_a_guardrail_on_a_slice_too_small_never_ships(repository: Repository) -> None:
    repository.edit(BRIEF, GUARDRAIL, GUARDRAIL.replace("each segment", "region = islands"))
    reason = (
        "recall in region = islands at least 15%: too few positive units in every slice to tell"
    )
    decided(repository, "unclear", "Not shown yet: ", reason)


@every_problem
def test_a_column_that_gives_the_target_away_is_held_until_it_is_meant(
    repository: Repository,
) -> None:
    edit(repository, EDITS[repository.problem].giveaway)
    decided(
        repository,
        "hold",
        "Hold: ",
        "`told` alone predicts the target almost perfectly (",
        "): a suspected leak; if it is meant, say why in contract.py under MEANT",
    )
    reason = "the office closes the book weeks before the target is known"
    repository.edit(
        repository.code("contract"),
        "MEANT: dict[str, str] = {",
        f'MEANT: dict[str, str] = {{"told": "{reason}", ',
    )
    decided(repository, "ship", "Ship: ")
    [leak] = repository.json("reports/training.json")["leaks"]
    assert (leak["feature"], leak["meant"]) == ("told", reason)
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert [line for line in report.splitlines() if "told" in line and reason in line]


@every_problem
def test_a_champion_whose_folder_is_incomplete_blocks(repository: Repository) -> None:
    card = repository.json("models/challenger/card.json")
    card["rows"]["test"] = "of another test set"
    champion = repository.folder / "models/champion"
    (champion / "card.json").write_text(json.dumps(card))
    stopped(
        repository.run("dvc", "repro"),
        "models/champion/",
        "expected to exist, found nothing",
        "Next: ",
    )
    gate = repository.run(repository.package, "check")
    says_no(gate, "NO  current: these are out of date: ")


@pytest.mark.parametrize("cache", [True, False], ids=["in the cache", "nowhere"])
def test_a_champion_that_is_gone_blocks_and_names_the_command(
    repository: Repository, cache: bool
) -> None:
    shutil.rmtree(repository.folder / "models/champion")
    if not cache:
        shutil.rmtree(repository.folder / ".dvc/cache")
    completed = repository.run("churn", "check")
    fixable(
        completed,
        "blocked: without the champion nothing ships.",
        "models/champion/card.json: expected to exist, found nothing there. "
        "Next: uv run dvc pull models/champion.dvc (or uv run dvc checkout",
    )
    stopped(repository.run("dvc", "repro"), "models/champion")
    if cache:
        passes(repository.run("dvc", "checkout", "models/champion.dvc"))
        passes(repository.run("churn", "check"))
