"""Two projects in one repository: hooks, pull requests, releases and promotions of both."""

import json
import re
import shutil
from pathlib import Path

import pytest

from ..champion.conftest import MADE_BY, Shared
from ..made import Completed, call, git, passes
from ..rendering.test_copier import call as rendering
from ..rendering.test_workflows import endless, injected, permitted, unpinned, workflows
from .platforms import Platform, installed_programs, read_output
from .runner import Completed as Ran
from .test_scheduled import released, weekly
from .triggers import Event

PROJECTS = ("uk", "de/churn")
KEPT_TESTS = ("conftest.py", "test_features.py", "test_contract_on_data.py")
THEIRS = """\
# What this repository had before.
repos:
- repo: local
  hooks:
  - id: theirs
    name: theirs
    entry: "true"
    language: system
"""


class Both(Platform):
    """A repository on its code host, with `uk` and `de/churn` in it."""

    def project(self, path: str) -> Shared:
        return Shared(self.repository.folder / path, MADE_BY, self.repository.environment)

    def propose(self, project: str, branch: str) -> Ran:
        """What the checks of a project make of a pull request."""
        file = f".github/workflows/{project}-pull-request.yml"
        return self.run(Event("pull_request", head=branch, base="main"), file=file)

    def push(self, project: str, before: str) -> Ran:
        """What the release of a project makes of what came to main since a commit."""
        file = f".github/workflows/{project}-deliver.yml"
        return self.run(Event("push", {"before": before}), file=file)


@pytest.fixture(scope="module")
def both(first_day: Path, tmp_path_factory: pytest.TempPathFactory, environment: Path) -> Both:
    """The repository before `install`; each project has a storage of its own and few tests."""
    folder = installed_programs(tmp_path_factory.mktemp("both"))
    top = folder / "churn"
    for path in PROJECTS:
        shutil.copytree(first_day, top / path, ignore=shutil.ignore_patterns(".git"))
        for test in (top / path / "tests").rglob("*.py"):
            if test.name not in KEPT_TESTS:
                test.unlink()
    (top / ".pre-commit-config.yaml").write_text(THEIRS)
    git(top, "init", "--quiet", "-b", "main")
    made = Both(Shared(top, MADE_BY, environment), folder)
    for path in PROJECTS:
        project = made.project(path)
        project.edit(".dvc/config", "url = storage", f"url = {folder / 'storage' / path}")
        # A run of the pipeline in a pull request is another story.
        project.edit(".github/workflows/pull-request.yml", "REPRODUCE: simulated", "REPRODUCE: no")
        hooks = project.folder / ".pre-commit-config.yaml"
        text, places = re.subn(r"      - id: types\n(?: {8}.*\n)+", "", hooks.read_text())
        assert places == 1  # mypy takes longer than all others
        hooks.write_text(text)
        project.edit(".github/CODEOWNERS", "# * @your-organisation/your-team", "* @acme/models")
        passes(project.run("dvc", "push", "--quiet"))
    made.repository.commit("Two projects")
    return made


@pytest.fixture(scope="module")
def installed(both: Both) -> Both:
    """After `install` in both, with the hooks of both."""
    for path in PROJECTS:
        passes(both.project(path).run("churn", "install"))
    both.repository.git("add", "--all")
    both.repository.git("commit", "--quiet", "--no-verify", "--message", "Hooks and workflows")
    return both


def checked(project: Shared) -> str:
    """The line of `check` about git."""
    output = project.run("churn", "check").stdout
    (line,) = re.findall("^(?:ok|NO)  git: .*$", output, re.MULTILINE)
    return str(line)


def results(completed: Ran) -> dict[str, str]:
    return {name: job.result for name, job in completed.jobs.items()}


def test_start_says_that_nothing_checks_and_check_is_red_until_it_is_installed(both: Both) -> None:
    uk, top = both.project("uk"), both.repository.folder
    started = uk.run("churn", "start")
    passes(started, "NOTHING CHECKS COMMITS AND PULL REQUESTS HERE YET", "uv run churn install")
    assert not (top / ".git/hooks/pre-commit").exists()
    line = checked(uk)
    assert line.startswith(f"NO  git: {top}: expected, at the root of the repository, the hooks")
    assert "Next: uv run churn install" in line
    completed = uk.run("churn", "install")
    passes(completed, ".github/workflows/uk-deliver.yml", "Next: git -C")
    assert checked(uk).startswith("ok  git: ")
    uk.edit(".github/workflows/audit.yml", "name: audit\non:", "name: weekly\non:")
    assert "(.github/workflows/uk-audit.yml)" in checked(uk)
    uk.git("checkout", "--quiet", "--", ".")


def test_what_the_repository_had_is_kept_and_both_have_their_own_names(installed: Both) -> None:
    top = installed.repository.folder
    configuration = (top / ".pre-commit-config.yaml").read_text()
    assert configuration.startswith("# What this repository had before.\nrepos:\n")
    assert configuration.endswith(THEIRS.partition("repos:\n")[2])
    owners = (top / ".github/CODEOWNERS").read_text().splitlines()
    assert {"/uk/ @acme/models", "/de/churn/ @acme/models"} <= set(owners)
    rules = json.loads((top / ".github/de-churn-rules.json").read_text())["rules"]
    checks = rules[-1]["parameters"]["required_status_checks"]
    assert [check["context"] for check in checks] == ["code (de/churn)", "model (de/churn)"]
    for rule in (permitted, endless, injected, unpinned):
        assert rule(top) == ""
    read = rendering(
        "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows(top)
    )
    assert read.returncode == 0, read.stdout
    names = [path.name for path in (top / ".github/workflows").iterdir()]
    assert len(names) == 2 * len(list((top / "uk/.github/workflows").iterdir()))
    assert {name.removesuffix("audit.yml") for name in names if "audit" in name} == {
        "uk-",
        "de-churn-",
    }


def commit(both: Both) -> Completed:
    both.repository.git("add", "--all")
    words = ("commit", "--quiet", "--message", "By hand")
    return call(both.repository.folder, "git", *words, **both.repository.surroundings())


def test_hooks_of_both_run_for_the_files_below_their_folder(installed: Both) -> None:
    top, both = installed.repository.folder, installed
    for path in PROJECTS:
        (top / path / "bad.toml").write_text("{\n")
    completed = commit(both)
    assert completed.returncode == 1
    output = completed.stdout + completed.stderr
    for path in PROJECTS:
        assert re.search(rf"the hooks of {path}\.+Failed", output), output
    assert output.count("bad.toml: Invalid statement") == 2
    assert re.search(r"theirs\.+Passed", output)
    (top / "uk/bad.toml").write_text("")
    (top / "de/churn/bad.toml").unlink()
    completed = commit(both)
    assert completed.returncode == 0, completed
    assert re.search(r"the hooks of de/churn\.*\(no files", completed.stdout + completed.stderr)


def test_a_pull_request_is_checked_by_the_projects_that_it_touches(installed: Both) -> None:
    repository, both = installed.repository, installed
    repository.git("checkout", "--quiet", "-b", "words")
    repository.append("uk/README.md", "\nAsk the retention squad.\n")
    repository.git("commit", "--quiet", "--no-verify", "--all", "--message", "Whom to ask")
    completed = both.propose("uk", "words")
    assert completed.result == "success", read_output(*completed.jobs.values())
    assert set(results(completed).values()) == {"success"}
    assert {job.name for job in completed.jobs.values()} >= {"code (uk)", "model (uk)"}
    assert "the hooks of uk" in read_output(completed.jobs["code"])
    other = both.propose("de-churn", "words")
    assert results(other) == {"changes": "success"} | dict.fromkeys(
        ("code", "model", "comment"), "skipped"
    )
    repository.git("checkout", "--quiet", "-b", "worse", "main")
    (repository.folder / "de/churn/data.parquet").write_text("rows")
    repository.git("add", "--force", "de/churn/data.parquet")
    repository.git("commit", "--quiet", "--no-verify", "--message", "Data")
    other = both.propose("de-churn", "worse")
    assert other.jobs["code"].result == "failure"
    assert "data.parquet" in read_output(other.jobs["code"])
    assert results(both.propose("uk", "worse"))["code"] == "skipped"
    repository.git("checkout", "--quiet", "main")
    kept = json.loads((both.folder / "pulls.json").read_text())
    (comment,) = kept["comments"]
    assert comment.startswith("<!-- pull request (uk) -->\n")


def test_weekly_runs_propose_for_their_project_alone(installed: Both, clone: Path) -> None:
    both, repository = installed, installed.repository
    uk, snapshot = both.project("uk"), both.folder / "customers.csv"
    main, template = repository.git("rev-parse", "main"), both.folder / "template"
    git(both.folder, "clone", "--quiet", str(clone), str(template))
    answers = uk.folder / ".copier-answers.yml"
    answers.write_text(re.sub("(?m)^_src_path: .*$", f"_src_path: {template}", answers.read_text()))
    rows = uk.raw()
    rows.head(-40).write_csv(snapshot)
    uk.edit("params.yaml", "source: src/churn/example.py", "source: data/customers.csv")
    passes(uk.run("dvc", "import-url", "--quiet", str(snapshot), "data/customers.csv"))
    passes(uk.run("dvc", "repro"))
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--no-verify", "--message", "A table")
    passes(uk.run("dvc", "push", "--quiet"))
    rows.write_csv(snapshot)
    released(template, "v99999", "template/ruff.toml", "line-length", "# Why.\nline-length")
    for name in ("retrain", "template-update"):
        completed = weekly(both, f".github/workflows/uk-{name}.yml")
        assert completed.result == "success", read_output(*completed.jobs.values())
    proposed = {pull["head"] for pull in both.pulls if pull["state"] == "open"}
    assert proposed == {"uk-retrain", "template-update/uk-v99999"}
    for branch in proposed:
        changed = repository.git("diff", "--name-only", "main", branch).splitlines()
        assert changed, branch
        assert [path for path in changed if not path.startswith("uk/")] == []
    repository.git("reset", "--quiet", "--hard", main)
    (both.folder / "pulls.json").unlink()
    passes(uk.run("dvc", "checkout", "--quiet"))


def test_both_release_and_promote_under_names_of_their_own(installed: Both) -> None:
    both, repository = installed, installed.repository
    uk, de = both.project("uk"), both.project("de/churn")
    repository.append("uk/README.md", "\nWhat the retention squad asked for.\n")
    repository.git("commit", "--quiet", "--no-verify", "--all", "--message", "Why")
    groups = set()
    for name in ("uk", "de-churn"):
        completed = both.push(name, repository.git("rev-parse", "HEAD~1"))
        assert completed.triggered is (name == "uk")  # the last commit is about no other
        groups |= {job.concurrency.get("group") for job in completed.jobs.values()}
    assert "uk-release" in groups
    (pull,) = both.pulls
    assert pull["head"] == "release/uk-champion-1"
    assert pull["title"].startswith("uk: champion-1: gradient boosting takes charge")
    before = repository.git("rev-parse", "HEAD")
    both.merge("release/uk-champion-1")
    completed = both.push("uk", before)
    assert completed.result == "success", read_output(*completed.jobs.values())
    assert completed.jobs["release"].outputs == {
        "tag": "uk-champion-1",
        "image": "ghcr.io/acme/project/uk:champion-1",
    }
    passes(de.run("churn", "promote"), "champion-1: gradient boosting takes charge")
    assert repository.git("tag").split() == ["de-churn-champion-1", "uk-champion-1"]
    passes(uk.run("dvc", "pull", "--quiet"))
    for project in (uk, de):
        passes(project.run("churn", "check"), "ok  champion: champion-1 is in charge")
    assert repository.git("status", "--porcelain") == ""


def test_a_rollback_is_of_one_project(installed: Both) -> None:
    de, tags = installed.project("de/churn"), installed.repository.git("tag").split()
    passes(de.run("churn", "rollback"), "the rule")
    passes(de.run("churn", "check"), "ok  champion: the rule is in charge")
    passes(installed.project("uk").run("churn", "check"), "ok  champion: champion-1 is in charge")
    assert set(tags) < set(installed.repository.git("tag").split())
