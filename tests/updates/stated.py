"""What `copier.yml` states about paths, and `blueprints/moved.json`: what releases left at those
that have moved.

uv run python -m tests.updates.stated blueprints/moved.json
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from exemplar.errors import Fixable
from exemplar.releases import find_releases
from exemplar.rendering import Entry, Rendering, render

from ..conftest import EXAMPLES, ROOT

LENGTH = 12  # digits of an id; a project holds some thousands of contents
PACKAGE = "{{ package_name }}"


def lines(copier_yml: str, package: str, **context: str) -> dict[str, list[str]]:
    """The lines of each text of `copier.yml` about paths, as Copier renders them for a package."""
    config: dict[str, Any] = yaml.safe_load(copier_yml)
    environment = Environment(
        undefined=StrictUndefined,
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        autoescape=False,
    )
    moves = config.get("moves", {"default": ""})  # releases before 0.4.0 state none
    texts = {"moves": moves["default"], "retired": "\n".join(config["_exclude"][2:])}
    return {
        name: environment.from_string(text).render(package_name=package, **context).splitlines()
        for name, text in texts.items()
    }


def list_retired(copier_yml: str, package: str) -> list[str]:
    """The paths that the template gave up or moved, which an update leaves where they are."""
    paths = lines(copier_yml, package, _copier_operation="update")["retired"]
    return [line.strip() for line in paths if line.strip()]


def hash_entry(entry: Entry) -> str:
    """Git's id of a file's content, shortened."""
    head = b"blob %d\0" % len(entry.content)
    return hashlib.sha1(head + entry.content, usedforsecurity=False).hexdigest()[:LENGTH]


def list_contents(moves: Iterable[str], renderings: Iterable[Rendering]) -> dict[str, list[str]]:
    """The ids of what versions had at each path that has moved, the newest last."""
    contents: dict[str, dict[str, None]] = {path: {} for path in moves}
    for rendered in renderings:
        for path, ids in contents.items():
            if path in rendered.files:
                identity = hash_entry(rendered.files[path])
                ids.pop(identity, None)
                ids[identity] = None
    return {path: list(ids) for path, ids in contents.items()}


def render_releases(problem: str, folder: Path) -> Iterator[Rendering]:
    """Every release that knew a kind of problem, the oldest first, for the package `churn`."""
    for release in find_releases(ROOT):
        target = folder / f"{release.version}-{problem}/churn"
        try:
            yield render(str(ROOT), target, version=release.commit, answers={"problem": problem})
        except Fixable as error:
            if "Invalid choice for 'problem'" not in str(error):
                raise


def format_listing(ids: Mapping[str, list[str]]) -> str:
    """`blueprints/moved.json`, a line for each path."""
    listing = [
        f'  "{path.replace("src/churn/", f"src/{PACKAGE}/")}": {json.dumps(each)}'
        for path, each in ids.items()
    ]
    return "{\n" + ",\n".join(listing) + "\n}\n" if listing else "{}\n"


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        stands = render(str(ROOT), Path(scratch) / "stands/churn", version="HEAD")
        renderings = [
            old for problem in EXAMPLES for old in render_releases(problem, Path(scratch))
        ]
    ids = list_contents(stands.moves, renderings)
    Path(sys.argv[1]).write_text(format_listing(ids), encoding="utf-8")
