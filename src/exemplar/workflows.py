"""`exemplar workflows`: the template's workflows for repositories that it did not generate.

They are written in the form of an organisation's repository `.github`:
`workflow-templates/NAME.yml` beside `NAME.properties.json`. They differ from those of a generated
repository in two things: the steps of the set-up stand in place of the local action, and the code
host fills in the name of the main branch.
"""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import Fixable
from .new import find_template
from .rendering import render

PROJECT = "your-project"
HEAD = """\
# Made from the template's workflows by `exemplar workflows`: change those, not this.
# `your_project` stands for your package: its command needs the verbs that are used here.
"""
DESCRIPTIONS = {  # what the page "New workflow" of a repository says, and the octicon beside it
    "audit": ("Known security problems of the libraries, and secrets in the history", "shield"),
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


def write_workflows(destination: Path, template: str | None = None) -> int:
    """Write the folder's files, delete its workflows that the template no longer has; return 0."""
    files = build_files(template)
    destination.mkdir(parents=True, exist_ok=True)
    for path in destination.iterdir():
        if path.name.endswith((".yml", ".properties.json")) and path.name not in files:
            path.unlink()
    for name, text in files.items():
        (destination / name).write_text(text, encoding="utf-8")
    print(f"{destination}: {len(files) // 2} workflows, each with its properties")
    return 0


def build_files(template: str | None = None) -> dict[str, str]:
    """Return the text of every file by its name."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / PROJECT
        render(find_template(template), folder, version="HEAD", answers={"project_name": PROJECT})
        github = folder / ".github"
        set_up = (github / "actions/setup/action.yml").read_text(encoding="utf-8")
        files = {}
        for path in sorted((github / "workflows").glob("*.yml")):
            files[path.name] = HEAD + inline_set_up(path.read_text(encoding="utf-8"), set_up)
            files[f"{path.stem}.properties.json"] = format_properties(path.stem)
    return files


def inline_set_up(source: str, set_up: str) -> str:
    """Return a workflow that needs no other file of its repository.

    Raises Fixable where it uses another local action than the set-up.
    """
    workflow = SET_UP.sub(lambda match: build_steps(set_up, match[1], match[2] or ""), source)
    if "./.github" in workflow:
        raise Fixable(
            "A workflow: expected no action of its own repository but the set-up, found another "
            "one. Next: let src/exemplar/workflows.py put its steps in place"
        )
    return OURS.sub(r"\1$default-branch", workflow)


def build_steps(set_up: str, indent: str, values: str) -> str:
    """Return the steps of the local action, indented, with its inputs replaced by their values.

    `values` are the lines under `with:`; an input without one has its default.
    """
    defaults: dict[str, str] = dict(
        re.findall(r"^  ([\w-]+):\n(?:    .*\n)*?    default: (.+)$", set_up, re.MULTILINE)
    )
    inputs = defaults | dict(re.findall(r"^ *([\w-]+): (.+)$", values, re.MULTILINE))
    lines = [
        line
        for line in set_up.partition("\n  steps:\n")[2].splitlines()
        if line.strip() != "shell: bash" and "inputs.folder" not in line  # it is the whole project
    ]
    text = "".join(f"{indent}{line[4:]}\n" for line in lines)
    for name, value in inputs.items():
        text = text.replace(f"${{{{ inputs.{name} }}}}", value.strip('"'))
    return text


def format_properties(name: str) -> str:
    """Return, as JSON, what the code host shows about a workflow."""
    if name not in DESCRIPTIONS:
        raise Fixable(
            f"{name}.yml: expected a description in src/exemplar/workflows.py, found none. "
            "Next: add it to DESCRIPTIONS"
        )
    description, icon = DESCRIPTIONS[name]
    properties = {
        "name": f"Exemplar: {name.replace('-', ' ')}",
        "description": description,
        "iconName": f"octicon {icon}",
        "categories": CATEGORIES,
    }
    return json.dumps(properties, indent=2) + "\n"
