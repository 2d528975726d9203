"""What a stage wrote is read back as the type that wrote it, an older release's too.

What is damaged is named, with the command that writes it anew.
"""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ..conftest import EXAMPLES, ROOT

Change = Callable[[dict[str, Any]], object]
DECISION: dict[str, Any] = {
    "verdict": "hold",
    "sentence": "Hold: call nobody.",
    "gain": {"estimate": -12.5, "lower": -30.0, "upper": 4.0, "unit": "GBP per 1,000", "n": 900},
    "margin": 20.0,
    "worth_detecting": None,
    "needed": None,
    "lines": [
        {
            "line": "recall in region = east at least 20%",
            "limit": 0.2,
            "state": "too few",
            "slices": [
                {
                    "slice": "region = east",
                    "n": 9,
                    "positives": 1,
                    "estimate": 0.0,
                    "lower": None,
                    "upper": None,
                    "state": "too few",
                }
            ],
            "metric": "recall",
            "beats": None,
            "covered": None,
        }
    ],
    "guardrails": [],
    "reasons": ["worse than the champion by more than the margin"],
    "compared_by": 2,
    "champion": "rule",
    "challenger": "gradient boosting",
}


def load(name: str) -> ModuleType:
    """A module of the template's own."""
    sys.path.insert(0, str(ROOT / "template/src/{{package_name}}"))
    try:
        return importlib.import_module(f"delivery.{name}")
    finally:
        del sys.path[0]


@pytest.fixture(scope="module")
def brief() -> ModuleType:
    return load("edge.brief")


@pytest.fixture(scope="module")
def decision() -> ModuleType:
    return load("verdict.decision")


@pytest.fixture(scope="module")
def fixable() -> type[Exception]:
    error: type[Exception] = load("edge.errors").Fixable
    return error


def written(content: object, folder: Path) -> Path:
    """A file with this content, as a stage writes it."""
    path = folder / "written.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def as_json(brief: ModuleType, problem: str) -> dict[str, Any]:
    """`reports/brief.json` of a kind of problem."""
    page, _ = brief.read_project_brief(ROOT / f"blueprints/{problem}/project-brief.md")
    content: dict[str, Any] = page.model_dump(mode="json")
    return content | {"sections": {"Problem": 40}}


@pytest.mark.parametrize("problem", EXAMPLES)
def test_a_brief_is_read_back_as_it_was(brief: ModuleType, problem: str, tmp_path: Path) -> None:
    page, _ = brief.read_project_brief(ROOT / f"blueprints/{problem}/project-brief.md")
    assert brief.read_brief(written(as_json(brief, problem), tmp_path)) == page


@pytest.mark.parametrize("problem", EXAMPLES)
def test_keys_that_are_no_more_and_keys_that_came_later_stop_nothing(
    brief: ModuleType, problem: str, tmp_path: Path
) -> None:
    page, _ = brief.read_project_brief(ROOT / f"blueprints/{problem}/project-brief.md")
    content = as_json(brief, problem)
    for part in (content, content["decision"], content["value"], *content["success"]):
        part["retired"] = "of an older release"
    del content["risk"]
    back = brief.read_brief(written(content, tmp_path))
    assert back == page.model_copy(update={"risk": "medium"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<<<<<<< HEAD\n", "expected JSON, found "),
        ({"phase": "discover", "owner": "A"}, "`title` is missing"),
        ({"title": "T", "phase": "discover"}, "`owner:` from phase discover on"),
        ([], "Input should be|expected"),
    ],
)
def test_a_brief_that_is_damaged_is_named_with_what_writes_it_anew(
    brief: ModuleType, fixable: type[Exception], content: object, message: str, tmp_path: Path
) -> None:
    path = written(content, tmp_path)
    with pytest.raises(fixable, match=message) as error:
        brief.read_brief(path)
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).endswith("Next: uv run dvc repro --force --single-item brief")


def test_a_brief_that_is_gone_is_named(
    brief: ModuleType, fixable: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(fixable, match="expected to exist, found nothing there"):
        brief.read_brief(tmp_path / "brief.json")


def test_prices_of_another_kind_of_problem_are_refused(
    brief: ModuleType, fixable: type[Exception]
) -> None:
    page, _ = brief.read_project_brief(ROOT / "blueprints/ranking/project-brief.md")
    with pytest.raises(fixable, match="value: expected a price of each action, found prices of"):
        brief.require_kind(page, brief.Prices, "a price of each action")
    assert brief.require_kind(page, brief.Shown, "").value == page.value
    early = page.model_copy(update={"value": None})
    with pytest.raises(fixable, match=r"expected `decision:` and `value:` .* found none"):
        brief.require_kind(early, brief.Shown, "")


def test_a_decision_is_written_and_read_back_as_the_same_bytes(
    decision: ModuleType, tmp_path: Path
) -> None:
    text = json.dumps(DECISION, indent=1, ensure_ascii=False) + "\n"
    back = decision.read_decision(written(text, tmp_path))
    assert back.lines[0].is_judged is False
    assert back.gain.interval.format("{:,.0f}".format) == "-12 (-30 to 4)"
    assert back.lines[0].slices[0].interval.format("{:.1%}".format) == "0.0% (too few to tell)"
    decision.write_decision(back, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text(encoding="utf-8") == text


def test_a_decision_of_an_older_release_is_read(decision: ModuleType, tmp_path: Path) -> None:
    content = json.loads(json.dumps(DECISION)) | {"retired": 1}
    content["gain"]["retired"] = content["lines"][0]["retired"] = "of an older release"
    for later in ("worth_detecting", "needed", "reasons", "compared_by"):
        del content[later]
    back = decision.read_decision(written(content, tmp_path))
    assert (back.verdict, back.reasons, back.compared_by) == ("hold", (), None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("sentence"), "`sentence` is missing"),
        (lambda content: content["gain"].pop("n"), "`gain.n` is missing"),
        (
            lambda content: content.update(verdict="perhaps"),
            "`verdict`: expected 'ship', 'refresh'",
        ),
    ],
)
def test_a_decision_that_is_damaged_is_named_with_what_writes_it_anew(
    decision: ModuleType, fixable: type[Exception], change: Change, message: str, tmp_path: Path
) -> None:
    content = json.loads(json.dumps(DECISION))
    change(content)
    path = written(content, tmp_path)
    with pytest.raises(fixable, match=message) as error:
        decision.read_decision(path)
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).endswith("Next: uv run dvc repro --force --single-item decide")
    with pytest.raises(fixable, match="JSON"):
        decision.read_decision(written(">>>>>>> main\n", tmp_path))
