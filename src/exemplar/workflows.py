"""`exemplar workflows`: the template's workflows for repositories that it did not generate.

In the form of an organisation's repository `.github`: `workflow-templates/NAME.yml` beside
`NAME.properties.json`. They are what a generated repository has, but for the set-up, whose steps
stand in place of the local action, and for the name of the main branch, which the code host fills
in.
"""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import Fixable
from .new import origin
from .rendering import render

PROJECT = "your-project"
HEAD = """\
# Made from the template's workflows by `exemplar workflows`: change those, not this.
# `your_project` stands for your package: its command needs the verbs that are used here.
"""
SHOWN = {  # what the page "New workflow" of a repository says, and the octicon beside it
    "audit": ("What is known against the libraries, and secrets in the history", "shield"),
    "deliver": ("From main to production: release, image, staging, production", "rocket"),
    "pull-request": ("The code, then the model, of a pull request", "git-pull-request"),
    "retrain": ("The newest snapshot, and a pull request where the challenger wins", "sync"),
    "template-update": ("The template's newest release as a pull request", "repo-template"),
}
CATEGORIES = ["Continuous integration", "Deployment", "Python"]
SET_UP = re.compile(
    r"^( *)- uses: \./\.github/actions/setup\n(?:\1  with:\n((?:\1    .*\n)+))?", re.MULTILINE
)
OURS = re.compile(r"^( *(?:branches: \[|ref: ))main\b", re.MULTILINE)


def write(destination: Path, template: str | None = None) -> int:
    """Write the folder's files, and delete the workflows in it that the template has no more."""
    files = made(template)
    destination.mkdir(parents=True, exist_ok=True)
    for path in destination.iterdir():
        if path.name.endswith((".yml", ".properties.json")) and path.name not in files:
            path.unlink()
    for name, text in files.items():
        (destination / name).write_text(text, encoding="utf-8")
    print(f"{destination}: {len(files) // 2} workflows, each with its properties")
    return 0


def made(template: str | None = None) -> dict[str, str]:
    """Every file by its name."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / PROJECT
        render(origin(template), folder, version="HEAD", given={"project_name": PROJECT})
        github = folder / ".github"
        set_up = (github / "actions/setup/action.yml").read_text(encoding="utf-8")
        found = {}
        for path in sorted((github / "workflows").glob("*.yml")):
            found[path.name] = HEAD + workflow(path.read_text(encoding="utf-8"), set_up)
            found[f"{path.stem}.properties.json"] = properties(path.stem)
    return found


def workflow(source: str, set_up: str) -> str:
    """A workflow that needs no other file of its repository."""
    whole = SET_UP.sub(lambda match: steps(set_up, match[1], match[2] or ""), source)
    if "./.github" in whole:
        raise Fixable("A workflow uses an action of its repository that is not put in its place")
    return OURS.sub(r"\1$default-branch", whole)


def steps(set_up: str, indent: str, given: str) -> str:
    """The steps of the local action, with its inputs filled in, at a depth."""
    told: dict[str, str] = dict(re.findall(r"^ *([\w-]+): (.+)$", given, re.MULTILINE))
    inputs: dict[str, str] = dict(
        re.findall(r"^  ([\w-]+):\n(?:    .*\n)*?    default: (.+)$", set_up, re.MULTILINE)
    )
    lines = set_up.partition("\n  steps:\n")[2].splitlines()
    text = "".join(f"{indent}{line[4:]}\n" for line in lines if line.strip() != "shell: bash")
    for name, value in {**inputs, **told}.items():
        text = text.replace(f"${{{{ inputs.{name} }}}}", value.strip('"'))
    return text


def properties(name: str) -> str:
    """What the code host shows of a workflow."""
    if name not in SHOWN:
        raise Fixable(
            f"{name}.yml: expected a description in src/exemplar/workflows.py, found none. "
            "Next: add it to SHOWN"
        )
    description, icon = SHOWN[name]
    about = {
        "name": f"Exemplar: {name.replace('-', ' ')}",
        "description": description,
        "iconName": f"octicon {icon}",
        "categories": CATEGORIES,
    }
    return json.dumps(about, indent=2) + "\n"
