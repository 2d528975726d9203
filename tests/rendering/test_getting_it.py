"""The toolkit where there is no clone: by uvx from a repository, and as a wheel."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ..conftest import ROOT
from ..made import UV, git
from ..updates.small import Completed, second, surroundings, template_at


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository with the toolkit and a small template, at the releases 0.1.0 and 0.2.0."""
    at = tmp_path_factory.mktemp("at")
    template = template_at(at / "template")
    project = (ROOT / "pyproject.toml").read_text()
    project = re.sub('version = ".*"', 'version = "0.1.0"', project, count=1)
    urls = f'\n[project.urls]\nTemplate = "git+file://{at}/exemplar"\n'
    (template / "pyproject.toml").write_text(project + urls)
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, template)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", template / "src", ignore=ignored)
    git(template, "add", "--all")
    git(template, "commit", "--quiet", "--amend", "--message", "Release 0.1.0")
    git(template, "tag", "--force", "v0.1.0")
    second(template)
    git(at, "clone", "--quiet", "--bare", str(template), str(at / "exemplar"))
    return at / "exemplar"


def uvx(folder: Path, origin: str, *words: str | Path) -> Completed:
    """The command as somebody without a clone types it; uv does nothing in what it makes."""
    return subprocess.run(
        [UV, "tool", "run", "--quiet", "--from", origin, "exemplar", *words],
        cwd=folder,
        env=surroundings() | {"UV": str(shutil.which("true"))},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def read_record(folder: Path) -> list[str]:
    answers = (folder / ".copier-answers.yml").read_text()
    return sorted(line for line in answers.splitlines() if line.startswith("_"))


def test_uvx_from_a_repository_makes_one_that_updates_find(bare: Path, tmp_path: Path) -> None:
    origin = f"git+file://{bare}"
    made = uvx(tmp_path, f"{origin}@v0.1.0", "new", "churn", "--defaults")
    assert (tmp_path / "churn/README.md").exists(), made
    assert read_record(tmp_path / "churn") == ["_commit: v0.1.0", f"_src_path: {origin}"]
    git(tmp_path / "churn", "init", "--quiet", "-b", "main")
    git(tmp_path / "churn", "add", "--all")
    git(tmp_path / "churn", "commit", "--quiet", "--message", "First")
    checked = uvx(tmp_path, origin, "update", "--check", "churn")
    assert checked.returncode == 1, checked
    assert "0.1.0 -> 0.2.0, 1 behind" in checked.stdout


def test_a_wheel_knows_its_template_by_its_project_url(bare: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(bare), "clone")
    words: list[str | Path] = [UV, "build", "--quiet", "--wheel", "--out-dir", tmp_path]
    subprocess.run(words, cwd=tmp_path / "clone", check=True)
    [wheel] = tmp_path.glob("*.whl")
    shutil.rmtree(tmp_path / "clone")
    made = uvx(tmp_path, str(wheel), "new", "churn", "--defaults")
    assert (tmp_path / "churn/README.md").exists(), made
    expected = ["_commit: v0.2.0", f"_src_path: git+file://{bare}"]
    assert read_record(tmp_path / "churn") == expected
