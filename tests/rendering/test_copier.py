"""What Copier makes of the template: questions, owners, and files as they were written."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from jinja2 import Template, UndefinedError
from pathspec import PathSpec

from ..conftest import ROOT, Render, released
from ..made import git

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
PROBLEMS = sorted(
    {folder.name for folder in (ROOT / "blueprints").iterdir() if folder.is_dir()} - {"every"}
)
LONG = "a-name-of-thirty-characters-xx"
NAMED = (
    "{% filter replace('from project.', 'from ' ~ package_name ~ '.')"
    " | replace('from project import', 'from ' ~ package_name ~ ' import') %}"
)
INCLUDE = re.compile(
    rf"({re.escape(NAMED)})?"
    r"{% include 'blueprints/('? ~ problem ~ '?)?([\w/.-]+)' -?%}({% endfilter -%})?\n"
)
PRODUCED = [
    "dvc.lock",
    "uv.lock",
    "mlflow.db",
    "data/raw.parquet",
    "data/customers.csv.dvc",
    "models/champion.dvc",
    "models/challenger/card.json",
    "reports/decision.json",
    "reports/plots/value.csv",
]


def list_questions() -> dict[str, dict[str, Any]]:
    """The questions a person can answer."""
    return {
        name: question
        for name, question in CONFIG.items()
        if not name.startswith("_") and question.get("when") is not False
    }


def owners(package: str) -> dict[str, PathSpec[Any]]:
    """The patterns of each owner, as `copier.yml` states them."""
    text = CONFIG["owners"]["default"].replace("{{ package_name }}", package)
    return {
        owner: PathSpec.from_lines("gitignore", lines)
        for owner, lines in yaml.safe_load(text).items()
    }


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path, without git's and Python's own."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {".git", "__pycache__"} & set(path.relative_to(folder).parts)
    }


def included(problem: str) -> Iterator[tuple[Path, str, bool]]:
    """Source, rendered path, and whether the package's name is put in, of each included file."""
    for wrapper in sorted((ROOT / "template").rglob("*.jinja")):
        if match := INCLUDE.fullmatch(wrapper.read_text(encoding="utf-8")):
            source = ROOT / "blueprints" / (problem if match[2] else "") / match[3].lstrip("/")
            path = wrapper.relative_to(ROOT / "template").as_posix().removesuffix(".jinja")
            # A name may hold a condition; where it comes out empty, Copier leaves the file out.
            target = Template(path).render(problem=problem, package_name="{{package_name}}")
            if not target.endswith("/") and "//" not in target:
                yield source, target, match[1] is not None


def test_at_most_seven_questions_are_asked_and_each_has_a_default() -> None:
    """The main branch is asked for only where it was given, by `start` or by hand."""
    optional = {"main_branch"}
    assert all(f"{{{{ {name} | default(" in CONFIG[name]["when"] for name in optional)
    assert len(list_questions().keys() - optional) <= 7
    assert [name for name, question in list_questions().items() if "default" not in question] == []


def test_nobody_needs_to_trust_the_template() -> None:
    unsafe = {"_tasks", "_migrations", "_jinja_extensions", "_external_data"}
    assert unsafe & CONFIG.keys() == set()


def test_a_variable_that_nobody_defined_stops_the_rendering(template: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(template, tmp_path / "broken", ignore=shutil.ignore_patterns(".git"))
    (broken / "template/extra.txt.jinja").write_text("{{ nobody_defined_this }}\n")
    with pytest.raises(UndefinedError, match="nobody_defined_this"):
        copier.run_copy(str(broken), tmp_path / "churn", defaults=True, quiet=True)


REFUSED = {
    ("project_name", "1st-model"): "a letter (a to z) first",
    ("project_name", "churn!"): "a letter (a to z) first",
    ("project_name", "naïve"): "a letter (a to z) first",
    ("project_name", "churn-"): "a letter (a to z) first",
    ("project_name", "a" * 31): "at most 30",
    ("project_name", "class"): "another name",
    ("project_name", "JSON"): "another name",
    ("project_name", "scikit-learn"): "another name",
    ("project_summary", ""): "one line of 1 to 120 characters",
    ("project_summary", "two\nlines"): "one line of 1 to 120 characters",
    ("owner", "somebody"): "@name, @organisation/team, or nothing",
    ("problem", "clairvoyance"): "['classification', 'regression', 'ranking', 'answering']",
    ("storage", "tape"): "['local', 's3', 'gcs', 'azure']",
    ("storage_url", "s3://bucket"): "storage s3, gcs or azure",
    ("main_branch", "the trunk"): "a letter (a to z) first",
    ("mlflow_tracking_uri", "mlflow.db"): "sqlite:///FILE",
}


@pytest.mark.parametrize(("question", "value"), REFUSED, ids=lambda text: repr(text)[:25])
def test_a_refused_answer_is_told_what_is_allowed(
    render: Render, question: str, value: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(REFUSED[question, value])) as refusal:
        render(**{question: value})
    assert question in str(refusal.value)


def test_another_main_branch_is_kept_by_updates_and_main_is_no_answer(
    render: Render, template: Path
) -> None:
    assert "main_branch" not in (render() / ".copier-answers.yml").read_text()
    trunk = render(main_branch="trunk")
    before = files(trunk)
    named = [name for name, content in before.items() if re.search(rb"(ref: |\[)trunk\b", content)]
    assert [Path(name).stem for name in named] == ["deliver", "retrain", "template-update"]
    git(trunk, "init", "--quiet", "-b", "trunk")
    git(trunk, "add", "--all")
    git(trunk, "commit", "--quiet", "--message", "As made")
    copier.run_recopy(trunk, defaults=True, overwrite=True, quiet=True, unsafe=False)
    assert files(trunk) == before


@pytest.mark.parametrize(
    ("storage", "start"), [("s3", "s3://"), ("gcs", "gs://"), ("azure", "azure://")]
)
def test_a_storage_takes_its_own_addresses_only(render: Render, storage: str, start: str) -> None:
    folder = render(storage=storage, storage_url=f"{start}bucket/churn")
    assert f"url = {start}bucket/churn\n" in (folder / ".dvc/config").read_text()
    extra = {"s3": "dvc[s3]", "gcs": "dvc[gs]", "azure": "dvc[azure]"}[storage]
    assert f'"{extra}>=' in (folder / "pyproject.toml").read_text()
    with pytest.raises(ValueError, match=f"Allowed: {start}NAME"):
        render(storage=storage, storage_url="ftp://bucket/churn")


def test_each_default_passes_its_own_validation_for_any_storage(render: Render) -> None:
    for storage in ("local", "s3", "gcs", "azure"):
        render(storage=storage)


@pytest.mark.parametrize(
    ("folder", "package"),
    [
        ("churn", "churn"),
        ("Customer Churn", "customer_churn"),
        ("2nd", "my_project"),
        ("json", "my_project"),
    ],
)
def test_the_folder_names_the_project_where_it_can(
    render: Render, folder: str, package: str
) -> None:
    made = render(folder)
    assert [path.name for path in (made / "src").iterdir()] == [package]
    project = tomllib.loads((made / "pyproject.toml").read_text())["project"]
    assert project["name"] == package.replace("_", "-")


def test_a_summary_with_quotes_is_the_same_in_every_file(render: Render) -> None:
    summary = 'Who leaves, and why "now"? \\o/ 50 % été'
    made = render(project_summary=summary)
    assert tomllib.loads((made / "pyproject.toml").read_text())["project"]["description"] == summary
    assert summary in (made / "README.md").read_text()


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_path_has_exactly_one_owner(render: Render, problem: str) -> None:
    specs = owners("churn")
    assert list(specs) == ["team", "template", "merged", "machine"]
    wrong = {
        path: claims
        for path in [*files(render(problem=problem)), *PRODUCED]
        if len(claims := [owner for owner, spec in specs.items() if spec.match_file(path)]) != 1
    }
    assert wrong == {}


def test_an_update_touches_no_path_of_the_team_or_of_a_command(
    template: Path, render: Render, tmp_path: Path
) -> None:
    source = released(template, tmp_path / "template", "v9999")
    made = tmp_path / "churn"
    copier.run_copy(str(source), made, defaults=True, quiet=True)
    (made / "docs/team.md").write_text("We.\n")
    (made / "README.md").unlink()
    (made / "models").mkdir()
    (made / "models/champion.dvc").write_text("outs: []\n")
    git(made, "init", "--quiet")
    git(made, "add", "--all")
    git(made, "commit", "--quiet", "--message", "Ours")
    for name in ("docs/team.md", "README.md.jinja", "params.yaml.jinja", "pytest.ini"):
        with (source / "template" / name).open("a") as file:
            file.write("# of the next release\n")
    git(source, "commit", "--quiet", "--all", "--message", "Next")
    git(source, "tag", "v9999.1")
    copier.run_update(made, defaults=True, overwrite=True, quiet=True)
    changed = git(made, "status", "--short").split()
    assert changed == ["M", ".copier-answers.yml", "M", "pytest.ini"]


def test_no_python_file_of_the_template_contains_jinja() -> None:
    for path in [*(ROOT / "template").rglob("*.py"), *(ROOT / "blueprints").rglob("*.py")]:
        assert not re.search(r"\{[{%#]", path.read_text(encoding="utf-8")), path
    for path in (ROOT / "template").rglob("*.py.jinja"):
        assert INCLUDE.fullmatch(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("problem", PROBLEMS)
def test_an_included_file_is_rendered_as_it_was_written(render: Render, problem: str) -> None:
    made = files(render("churn", problem=problem))
    for source, target, named in included(problem):
        expected = source.read_bytes()
        if named:
            expected = re.sub(rb"from project(?=\.| import)", b"from churn", expected)
        assert made[target.replace("{{package_name}}", "churn")] == expected, target
    parameters = ROOT / "blueprints" / problem / "example-params.yaml"
    assert b"\n" + parameters.read_bytes() + b"validate:\n" in made["params.yaml"]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_file_of_a_blueprint_is_included(problem: str) -> None:
    written = {
        path
        for part in (problem, "every")
        for path in (ROOT / "blueprints" / part).rglob("*")
        if path.suffix in {".py", ".md", ".yaml"}
    }
    used = {source for kind in PROBLEMS for source, _, _ in included(kind)}
    inside_a_page = {
        ROOT / "blueprints" / problem / "example-params.yaml",
        ROOT / "blueprints/every/rooms.md",
    }
    assert written - used == inside_a_page


def call(command: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment."""
    words = [str(Path(sys.executable).with_name(command)), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_plain_copier_gives_the_same_files_and_names_the_next_command(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV", str(shutil.which("true")))  # so without environment and pipeline
    plain, ours = tmp_path / "plain/churn", tmp_path / "toolkit/churn"
    copied = call("copier", "copy", "--defaults", template, plain)
    made = call("exemplar", "new", "--defaults", "--template", template, ours)
    assert (copied.returncode, made.returncode) == (0, 0)
    assert files(plain) == files(ours)
    assert copied.stderr.rstrip().endswith(f"cd {plain} && uv run churn start")


def test_a_template_that_was_cloned_on_windows_gives_the_same_bytes(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text("[core]\n\tautocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    copier.run_copy(str(template), tmp_path / "churn", defaults=True, quiet=True)
    assert [path for path, content in files(tmp_path / "churn").items() if b"\r" in content] == []


@pytest.mark.parametrize("problem", PROBLEMS)
def test_an_example_may_have_more_units_than_its_numbers_have_digits(problem: str) -> None:
    example, contract = (
        (ROOT / "blueprints" / problem / name).read_text(encoding="utf-8")
        for name in ("example.py", "contract.py")
    )
    [digits] = re.findall(r"zfill\((\d)\)", example)
    [pattern] = re.findall(r'regex="(\^[A-Z]\[0-9\].+?\$)"', contract)
    for units in (1, 10 ** int(digits)):
        assert re.fullmatch(pattern, pattern[1] + str(units).zfill(int(digits)))


@pytest.mark.parametrize("name", ["churn", LONG])
def test_the_rendered_repository_passes_its_own_linter(render: Render, name: str) -> None:
    made = render(name)
    for words in (["check", "--output-format", "concise"], ["format", "--check"]):
        result = call("ruff", *words, "--no-cache", made)
        assert result.returncode == 0, result.stdout + result.stderr


def test_nothing_rendered_names_a_package_index_or_a_folder_of_this_machine(render: Render) -> None:
    for path, content in files(render()).items():
        if path != ".copier-answers.yml":
            machine = rb"index-url|/simple\b|(?<![.\w])/(home|root|tmp|work|Users)/"
            assert not re.search(machine, content), path
