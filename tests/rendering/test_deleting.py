"""What `docs/ways-of-working.md` says that a team may delete stays deleted."""

import re
import shutil
from pathlib import Path

from copier import run_copy, run_update

from ..conftest import ROOT
from ..made import git

PAGE = ROOT / "docs/ways-of-working.md"


def deletable() -> list[str]:
    """The paths of the page's table."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition("\n## What a team may delete\n")
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [path for cell in cells for path in re.findall(r"`([^`]+)`", cell)]


def test_an_update_brings_back_nothing_that_a_team_may_delete(
    template: Path, tmp_path: Path
) -> None:
    newer = tmp_path / "template"
    shutil.copytree(template, newer)
    churn = tmp_path / "churn"
    run_copy(str(newer), churn, defaults=True, quiet=True, unsafe=False)
    git(churn, "init", "--quiet", "-b", "main")
    git(churn, "add", "--all")
    git(churn, "commit", "--quiet", "--message", "As made")
    paths = deletable()
    assert len(paths) > 10
    gone = [name for name in git(churn, "ls-files", "--", *paths).split("\n") if name]
    every = git(churn, "ls-files").split("\n")[:-1]
    assert f"are {len(gone)} of the {len(every)} files" in PAGE.read_text(encoding="utf-8")
    for path in paths:  # each is there to be deleted
        assert any(name == path or name.startswith(path) for name in gone), path
    git(churn, "rm", "-r", "--quiet", *paths)
    git(churn, "commit", "--quiet", "--message", "What we do not use")
    for path in [*paths, "pytest.ini"]:
        source = path.replace("src/churn/", "src/{{package_name}}/")
        places = [newer / "template" / source, newer / "template" / f"{source}.jinja"]
        for file in (file for place in places for file in (place, *place.rglob("*"))):
            if file.is_file():
                with file.open("a") as content:
                    content.write("# newer\n")
    git(newer, "commit", "--quiet", "--all", "--message", "Newer")
    git(newer, "tag", "v10000")
    run_update(churn, defaults=True, overwrite=True, quiet=True, unsafe=False)
    status = git(churn, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert sorted(line[3:] for line in status) == [".copier-answers.yml", "pytest.ini"]
