"""Whatever stands in a brief, in params.yaml or in the answers file: it is used, or one message
names the file, what was expected, what was found, and the next command. Nothing ends in a
traceback.
"""

import codecs
import importlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from exemplar.answers import ANSWERS, read_answers, write_answers
from exemplar.errors import Fixable
from exemplar.project import find_project, require_template

from ..conftest import EXAMPLES, Render
from ..made import git
from .inputs import LONG, TAILS, mutate, spoil

BRIEF = "project-brief.md"
SECONDS = 2.0  # of computing that one input may take
FEWEST = 400  # inputs of each kind of problem
PARAMETERS = {
    "ingest": ("tables.read", "Ingest"),
    "validate": ("pipeline.validate", "Validate"),
    "split": ("pipeline.split", "Split"),
    "evaluate": ("verdict.comparison", "Evaluate"),
}


class Rendered(NamedTuple):
    """What Copier made of a kind of problem, whose modules can be imported here."""

    folder: Path
    problem: str

    def load(self, name: str) -> ModuleType:
        """A module of `delivery`, or beside it (`.example`)."""
        package = self.folder.name.replace("-", "_")
        return importlib.import_module(
            f"{package}{name}" if name.startswith(".") else f"{package}.delivery.{name}"
        )

    @property
    def text(self) -> str:
        return (self.folder / BRIEF).read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=EXAMPLES)
def rendered(request: pytest.FixtureRequest, render: Render) -> Iterator[Rendered]:
    problem = request.param
    folder = render(f"broken-{problem}", problem=problem)
    sys.path.insert(0, str(folder / "src"))
    yield Rendered(folder, problem)
    sys.path.remove(str(folder / "src"))


@pytest.fixture(scope="module")
def valid(rendered: Rendered) -> Any:
    """Some rows that keep the contract."""
    count, _ = EXAMPLES[rendered.problem]
    raw = rendered.load(".example").rows(**{count: 400}).with_row_index("row")
    contract = rendered.load(".contract")
    rows, _ = rendered.load("tables.conform").to_contract(raw, contract.Row)
    return rows


def read_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The content between the fences, and the prose after them."""
    _, front, prose = text.split("---\n", 2)
    return YAML(typ="safe", pure=True).load(front), prose


def make_briefs(text: str, keys: set[str]) -> Iterator[tuple[str, bytes]]:
    """Briefs by what is wrong with each; each of these keys is changed, and whatever is in it."""
    content, prose = read_front_matter(text)
    for name, front in mutate(content, keys):
        yield name, f"---\n{front}\n---\n{prose}".encode()
    _, front, _ = text.split("---\n", 2)
    for name, tail in TAILS.items():
        yield f"with {name}", f"---\n{front}{tail}\n---\n{prose}".encode()
        yield f"only {name}", f"---\n{tail}\n---\n{prose}".encode()
    yield from spoil(text)
    yield "no end of the front matter", text.replace("\n---\n", "\n", 1).encode()
    yield "an end at once", f"---\n---\n{prose}".encode()
    yield "text before it", b"x\n" + text.encode()
    yield "a line break before it", b"\n" + text.encode()
    yield "lines without end", f"---\n{front}{'#' * 30_000}\n---\n{prose}".encode()


def require_form(message: str, name: str) -> None:
    """What every refusal has: the file, what was expected, what was found, the next command."""
    assert message.startswith(f"{name}: ") or not name, message
    assert "Next: " in message, message
    assert len(message) < 20_000, message[:500]
    for line in message.rpartition("Next: ")[0].splitlines():
        if line.startswith(f"{name}: "):
            known = "is not a key here" in line or "is missing" in line
            assert known or ("expected " in line and " found" in line), message


def examine(
    cases: Iterator[tuple[str, bytes]],
    path: Path,
    name: str,
    use: Callable[[], object],
    fixable: type[Exception],
) -> tuple[int, list[str]]:
    """Write each case to a file and use it: how many there were, and which were accepted."""
    number, accepted = 0, []
    for case, content in cases:
        number += 1
        path.write_bytes(content)
        begin = time.process_time()
        try:
            use()
            accepted.append(case)
        except fixable as error:
            try:
                require_form(str(error), name)
            except AssertionError as fault:
                raise AssertionError(f"{case}: {fault}") from None
        except Exception as error:
            raise AssertionError(f"{case}: {type(error).__name__}") from error
        assert time.process_time() - begin < SECONDS, case
    return number, accepted


@pytest.fixture
def use_brief(
    rendered: Rendered, valid: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """What the pipeline does with the brief that is here: its stage, `validate`, and its words."""
    monkeypatch.chdir(tmp_path)
    stage, read, validate, outcomes, presentation, judge = (
        rendered.load(name)
        for name in (
            "pipeline.brief",
            "edge.brief",
            "pipeline.validate",
            "problem.outcomes",
            "problem.presentation",
            "verdict.judge",
        )
    )

    def use() -> None:
        stage.main([BRIEF, "brief.json"])
        brief = read.read_brief(Path("brief.json"))
        validate.require_fitting(brief, valid)
        if brief.phase != "discover":
            priced = outcomes.require_prices(brief)
            presentation.in_words(priced)
            presentation.prices(priced)
            presentation.capacity(priced, priced.decision.unit)
        for _, line in brief.lines:
            judge.describe_line(line, "GBP")

    return use


def test_no_brief_ends_in_a_traceback(rendered: Rendered, use_brief: Callable[[], None]) -> None:
    content, _ = read_front_matter(rendered.text)
    keys = set(content) if rendered.problem == "classification" else {"decision", "value"}
    number, accepted = examine(
        make_briefs(rendered.text, keys),
        Path(BRIEF),
        BRIEF,
        use_brief,
        rendered.load("edge.errors").Fixable,
    )
    assert number >= FEWEST
    assert number // 100 < len(accepted) < number // 10, accepted


NONSENSE = {
    "a share that is always above its limit": (
        ["recall, at_least: 0.20", "recall, at_least: -1"],
        "`success.1.at_least`: expected above 0 and at most 1, because recall lies between 0 and "
        "1, found -1",
    ),
    "a share that is never below zero": (
        ["recall, at_least: 0.20", "recall, at_least: 0"],
        "`success.1.at_least`: expected above 0 and at most 1",
    ),
    "a share in percent": (
        ["recall, at_least: 0.20", "recall, at_least: 20"],
        "`success.1.at_least`: expected above 0 and at most 1",
    ),
    "a share that may be all": (
        ["recall, at_least: 0.20", "acted_share, at_most: 1"],
        "`success.1.at_most`: expected at least 0 and below 1, because acted_share lies between 0",
    ),
    "a value that no price allows": (
        ["recall, at_least: 0.20", "value_per_1000, at_least: -6000"],
        "`success.1.at_least`: expected above -5,000 and at most 40,000",
    ),
    "a margin without end": (
        ["margin: 100", "margin: 1e308"],
        "`guardrails.1.margin`: expected less than or equal to 1000000000000, found 1e+308",
    ),
    "a margin that nothing can exceed": (
        ["margin: 100", "margin: 45000"],
        "`guardrails.1.margin`: expected below 45,000, because value_per_1000 lies between -5,000 "
        "and 40,000, found 45,000",
    ),
    "an infinite gain": (
        ["by: 100", "by: .inf"],
        "`success.0.by`: expected less than or equal to 1000000000000, found inf",
    ),
    "a gain that no price allows": (
        ["by: 100", "by: 50000"],
        "`success.0.by`: expected below 45,000",
    ),
    "a price that is true": (
        ["leaves: 40", "leaves: true"],
        "`value.actions.call.leaves`: expected a number, found true",
    ),
    "a price without end": (
        ["leaves: 40", "leaves: 1e308"],
        "`value.actions.call.leaves`: expected less than or equal to 1000000000000",
    ),
    "a capacity that is true": (
        ["at_most: 400", "at_most: true"],
        "`decision.at_most`: expected a number, found true",
    ),
    "a unit of 5,000 characters": (
        ["unit: customer", f"unit: {LONG}"],
        "`decision.unit`: expected at most 80 characters, found 'xxx",
    ),
    "an action that is nothing": (
        ["action: call", "action: none"],
        "`decision`: expected actions of different names, none of them none or review, found "
        "'none'",
    ),
    "a date in February": (
        ["review_by: 2027-03-31", "review_by: 2027-02-30"],
        "expected YAML in the front matter, found\n"
        "a value that is none of its kind: day is out of range for month",
    ),
    "a date that is a number": (
        ["review_by: 2027-03-31", "review_by: 2027"],
        "`review_by`: expected a date like 2027-03-31, found 2027",
    ),
    "a key that is no word": (["owner:", "1:"], "`1`: expected a key that is a word, found 1"),
    "a class that the target does not have": (
        ["leaves: 40", "left: 40"],
        "value: expected a price for each class of the target (leaves, stays), found left, stays",
    ),
    "a segment that is none": (
        ["recall, at_least: 0.20", "recall, where: regoin = north, at_least: 0.20"],
        "`success.1.where`: expected a segment of contract.py (region, age_band), found 'regoin'; "
        "did you mean `region`?",
    ),
    "a slice of Mars": (
        ["recall, at_least: 0.20", "recall, where: region = mars, at_least: 0.20"],
        "`success.1.where`: expected a value of `region` (north, south, east, west, islands, "
        "missing), found 'mars'",
    ),
}
"""What is refused in the brief of the classification problem, with words of the message."""

OTHERS = {
    "regression": {
        "prices of another kind": (
            [
                "per_unit_too_high: -1.0, per_unit_too_low: -0.4, free_within: 300, ",
                "offer: {a: 1}, ",
            ],
            "value: expected a price of each unit that an answer is too high and too low, found "
            "prices of another kind of problem",
        ),
        "an action that is nothing": (["action: offer", "action: none"], "found 'none'"),
        "a slice of Mars": (["where: each segment", "where: region = mars"], "found 'mars'"),
        "a share that is always above its limit": (["at_least: 0.40", "at_least: -1"], "found -1"),
    },
    "ranking": {
        "an event without a price": (
            ["click: 0.30", "clicked: 0.30"],
            "value: expected a price for each kind of event in the target, found none for click",
        ),
        "a slice of Mars": (["where: each segment", "where: device = mars"], "found 'mars'"),
        "a share that is always above its limit": (
            ["ndcg, at_least: 0.30", "ndcg, at_least: -1"],
            "-1",
        ),
    },
    "answering": {
        "an answer like a hand-over": (["otherwise: hand over", "otherwise: answer"], "'answer'"),
        "a margin that nothing can exceed": (
            ["margin: 400", "margin: 15000"],
            "`guardrails.2.margin`: expected below 15,000, because value_per_1000 lies between "
            "-12,000 and 3,000",
        ),
        "a slice of Mars": (["kind = hostile", "kind = mars"], "found 'mars'"),
        "a share that is always above its limit": (["at_least: 0.80", "at_least: -1"], "found -1"),
    },
}
"""The same for the other kinds of problem."""


def replace_once(text: str, old: str, new: str) -> str:
    """The text with one place replaced: a test must not rot into doing nothing."""
    assert text.count(old) == 1, f"{text.count(old)} places like {old!r}"
    return text.replace(old, new)


def test_nonsense_in_a_brief_is_named(rendered: Rendered, use_brief: Callable[[], None]) -> None:
    nonsense = NONSENSE if rendered.problem == "classification" else OTHERS[rendered.problem]
    for case, ((old, new), words) in nonsense.items():
        Path(BRIEF).write_text(replace_once(rendered.text, old, new), encoding="utf-8")
        with pytest.raises(rendered.load("edge.errors").Fixable) as error:
            use_brief()
        assert words in str(error.value), case
        require_form(str(error.value), BRIEF)


def test_a_brief_is_read_as_other_programs_save_it(
    rendered: Rendered, use_brief: Callable[[], None]
) -> None:
    text = rendered.text
    for content in (
        text.encode(),
        codecs.BOM_UTF8 + text.encode(),
        text.replace("\n", "\r\n").encode(),
        codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode(),
        text.replace("\n", "\r").encode(),
    ):
        Path(BRIEF).write_bytes(content)
        use_brief()


PHASES = {
    "discover": set[str](),
    "define": {"success"},
    "develop": {"success", "guardrails"},
    "deliver": {"success", "guardrails"},
}
"""Which lines a brief of each phase needs."""


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_asks_for_success_lines_and_guardrails(
    rendered: Rendered, use_brief: Callable[[], None], phase: str
) -> None:
    text = replace_once(rendered.text, "phase: develop", f"phase: {phase}")
    text = replace_once(text, "\nreview_by:", "\nexperiment: half of the list\nreview_by:")
    for key in ("success", "guardrails"):
        empty, places = re.subn(rf"^{key}:\n(  - .*\n)+", f"{key}: []\n", text, flags=re.MULTILINE)
        assert places == 1
        Path(BRIEF).write_text(empty, encoding="utf-8")
        if key not in PHASES[phase]:
            use_brief()
            continue
        needed = f"expected `{key}:` from phase .*, found none .this brief is in {phase}."
        with pytest.raises(rendered.load("edge.errors").Fixable, match=needed) as error:
            use_brief()
        require_form(str(error.value), BRIEF)


def make_files(text: str) -> Iterator[tuple[str, bytes]]:
    """Files of parameters, or of answers, by what is wrong with each."""
    content = YAML(typ="safe", pure=True).load(text)
    for name, line in mutate(content, content):
        yield name, f"{line}\n".encode()
    for name, tail in TAILS.items():
        yield f"with {name}", f"{text}{tail}\n".encode()
        yield f"only {name}", f"{tail}\n".encode()
    yield from spoil(text)


def test_no_parameters_end_in_a_traceback(
    rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rendered.folder)  # where the source is
    read, sources = rendered.load("edge.parameters").read, rendered.load("tables.sources")
    stages = {
        section: getattr(rendered.load(module), name)
        for section, (module, name) in PARAMETERS.items()
    }
    path = tmp_path / "params.yaml"

    def use() -> None:
        settings = {section: read(path, section, stage) for section, stage in stages.items()}
        sources.require_file(Path(settings["ingest"].source))

    text = Path("params.yaml").read_text(encoding="utf-8")
    cases = make_files(text)
    if rendered.problem != "classification":
        cases = ((name, content) for name, content in cases if name.startswith("ingest"))
    number, accepted = examine(cases, path, "", use, rendered.load("edge.errors").Fixable)
    assert number >= FEWEST
    assert len(accepted) < number // 2, accepted
    for content in (codecs.BOM_UTF8 + text.encode(), text.replace("\n", "\r\n").encode()):
        path.write_bytes(content)
        use()


def test_no_answers_file_ends_in_a_traceback(
    render: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = render("answered")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "As made")
    path = folder / ANSWERS
    text = path.read_text(encoding="utf-8")
    known = find_project(folder)

    def use() -> None:
        project = known._replace(answers=read_answers(path))
        require_template(project)
        project.answers.find_changes(known.answers.values)
        write_answers(tmp_path / ANSWERS, project.answers)

    with monkeypatch.context() as quick:  # the way back asks git, twice for each input
        quick.setattr("exemplar.project.describe_way_back", lambda project: "git checkout")
        number, accepted = examine(make_files(text), path, str(path), use, Fixable)
    assert number >= FEWEST
    assert len(accepted) < number, accepted
    path.write_text(text + "1: x\n")
    with pytest.raises(Fixable, match="no such YAML: the key 1, which is no text"):
        find_project(folder)
    path.write_text(text.replace("storage: local", "storage: 2027-02-30"))
    with pytest.raises(Fixable, match="no such YAML: day is out of range for month"):
        find_project(folder)
