"""The releases that the update tests go through: those of the history, then made-up ones on top.

The made-up ones hold everything that an update can bring, so that the tests mean as much on the
first day as in a year.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from exemplar.releases import Release, find_releases, tag_releases

from ..made import git

STANDS = "9999.0."
"""How versions start of the tree as it stands, 9999.0.0, and of what is made up on top of it."""

STAGE_LINE = "# Stages of your own go below this line"
RETIRED = ".editorconfig"
RETIRING = r"^    [{]% if _copier_operation == 'update' %[}]\n"
"""Where copier.yml begins to list the paths that are retired; see there."""

ADDED = ".github/labels.yml"
ADDED_FOR_THE_TEAM = "docs/glossary.md"


def chain(repository: Path, clone: Path) -> list[Release]:
    """Clone a repository with its releases tagged, put the tree as it stands on top of them, and
    the made-up releases on top of that; all of them, oldest first.
    """
    real = find_releases(repository)
    git(repository, "clone", "--quiet", "--no-checkout", "--no-tags", str(repository), str(clone))
    tag_releases(clone, real)
    listing = git(repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listing.split("\0")):
        if (repository / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, clone / name)
    on_top = []
    for number, change in enumerate(MADE_UP):
        change(clone)
        on_top.append(_release(clone, f"{STANDS}{number}"))
    return [*real, *on_top]


def last_three(releases: list[Release]) -> list[Release]:
    """Where updates start: the last three of the history, made-up ones where it has fewer."""
    real = [release for release in releases if not release.version.startswith(STANDS)]
    return (real[-3:] + [release for release in releases if release not in real])[:3]


def _release(clone: Path, version: str) -> Release:
    _replace(clone / "pyproject.toml", r'^version = ".*"$', f'version = "{version}"')
    git(clone, "add", "--all", "--force")
    git(clone, "commit", "--quiet", "--message", f"Release {version}")
    release = Release(version, git(clone, "rev-parse", "HEAD").strip())
    tag_releases(clone, [release])
    return release


def _replace(path: Path, pattern: str, new: str) -> None:
    """Replace the one match: a made-up release must not rot into changing nothing."""
    text, times = re.subn(pattern, new.replace("\\", r"\\"), path.read_text(), flags=re.MULTILINE)
    assert times == 1, f"{path}: {times} places like {pattern!r}"
    path.write_text(text)


def _nothing(clone: Path) -> None:
    """The tree as it stands."""


def _a_stage_and_a_name_that_it_needs(clone: Path) -> None:
    """Delivery code that works only if two files arrive together, and a stage that runs it."""
    delivery = clone / "template/src/{{package_name}}/delivery"
    with (delivery / "edge/files.py").open("a") as file:
        file.write(
            '\n\ndef tally(text: str) -> int:\n    """Number of lines."""\n'
            "    return len(text.splitlines())\n"
        )
    (delivery / "pipeline/tallied.py").write_text(
        '"""Stage tallied: how long the report is."""\n\n'
        "import sys\nfrom pathlib import Path\n\n"
        "from ..edge.files import tally\n\n\n"
        "def main(argv: list[str] | None = None) -> int:\n"
        '    """`REPORT TARGET`."""\n'
        "    report, target = map(Path, sys.argv[1:] if argv is None else argv)\n"
        '    target.write_text(f"{tally(report.read_text())}\\n")\n'
        "    return 0\n\n\n"
        'if __name__ == "__main__":\n    sys.exit(main())\n'
    )
    _replace(
        clone / "template/dvc.yaml.jinja",
        r"\n*^" + re.escape(STAGE_LINE),
        """

  tallied:
    desc: How long the report is
    cmd: {{ stage }}.tallied reports/report.md reports/tallied.txt
    deps:
      - reports/report.md
      - {{ code }}/delivery/edge/errors.py
      - {{ code }}/delivery/edge/files.py
      - {{ code }}/delivery/pipeline/tallied.py
    outs:
      - reports/tallied.txt: {cache: false}



"""
        + STAGE_LINE,
    )


def _a_question(clone: Path) -> None:
    """A question with a default, whose answer is rendered."""
    _replace(
        clone / "copier.yml",
        r"^# --- Owners",
        'cost_centre:\n  type: str\n  help: Who pays?\n  default: "4711"\n\n# --- Owners',
    )
    (clone / "template/.github/cost-centre.yml.jinja").write_text("cost: {{ cost_centre }}\n")


def _everything_else(clone: Path) -> None:
    """A file for the team, one for a command, one of the template's, one retired, a default, a
    bumped dependency, and lines that were there before, changed: in the team's files, too.
    """
    template = clone / "template"
    for path in (template / "README.md.jinja", template / "docs/team.md"):
        path.write_text("Since 9999.0.3.\n\n" + path.read_text())
    with (template / "params.yaml.jinja").open("a") as file:
        file.write("# Since 9999.0.3.\n")
    for path in (clone / "blueprints").glob("[!e]*/**/*.py"):
        if path.parent.name != "problem":
            path.write_text(path.read_text() + "\n# Since 9999.0.3.\n")
    (template / "reports").mkdir()
    (template / "reports/about.md").write_text("A command writes what is here.\n")
    (template / ADDED_FOR_THE_TEAM).write_text("# Glossary\n\nunit: a customer\n")
    (template / ADDED).write_text("bug: red\nmodel: blue\nquestion: white\n")
    (template / RETIRED).unlink()
    _replace(
        clone / "copier.yml",
        RETIRING,
        f"    {{% if _copier_operation == 'update' %}}\n    /{RETIRED}\n",
    )
    _replace(
        clone / "copier.yml",
        "A model that the business can read$",
        "A model that the business understands",
    )
    _replace(template / "pyproject.toml.jinja", r'"polars>=[\d.]+"', '"polars>=1.30.0"')
    check = template / "src/{{package_name}}/delivery/checks/check.py"
    check.write_text(check.read_text().replace('"""', '"""Newer: ', 1))
    _replace(template / "dvc.yaml.jinja", "How long the report is$", "Lines of the report")


MADE_UP: tuple[Callable[[Path], None], ...] = (
    _nothing,
    _a_stage_and_a_name_that_it_needs,
    _a_question,
    _everything_else,
)
