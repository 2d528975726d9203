"""The answers file of a generated repository: read, compared, written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ANSWERS = ".copier-answers.yml"


class Answers(NamedTuple):
    """What an answers file holds."""

    values: dict[str, Any]
    """The answer to each question."""
    record: dict[str, Any]
    """What Copier notes for itself; its keys begin with an underscore."""
    fault: str = ""
    """Why nothing could be read, if nothing could."""

    @property
    def source(self) -> str:
        """Where the template is; empty where the file does not say."""
        return str(self.record.get("_src_path") or "")

    @property
    def version(self) -> str:
        """The version of the template; empty where the file does not say."""
        return str(self.record.get("_commit") or "")

    def find_changes(self, original: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answers that are new or different, compared with the original ones."""
        return {
            key: value
            for key, value in self.values.items()
            if key not in original or original[key] != value
        }


def parse_answers(text: str) -> Answers:
    """Return the answers in a text; none, and why, where it is not the YAML of an answers file."""
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise ValueError("an alias (`*name`), which Copier does not write")
        content = yaml.safe_load(text)
        yaml.safe_dump(content)  # an update writes it back
    except Exception as error:  # whatever Python raises for `!!int x` or for 2027-02-30
        return Answers({}, {}, " ".join(str(error).split())[:200])
    if not isinstance(content, dict):
        return Answers({}, {}, "no keys and values")
    for key in content:
        if not isinstance(key, str):
            return Answers({}, {}, f"the key {key!r}, which is no text")
    return Answers(
        {key: value for key, value in content.items() if not key.startswith("_")},
        {key: value for key, value in content.items() if key.startswith("_")},
    )


def read_answers(path: Path) -> Answers:
    """Return the answers in a file; none, and why, where it cannot be read."""
    try:
        return parse_answers(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return Answers({}, {}, f"no UTF-8 text ({error})")


def write_answers(path: Path, answers: Answers) -> None:
    """Write answers in the form that Copier reads."""
    content = answers.values | answers.record
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
