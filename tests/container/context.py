"""Which files the build of an image may see, as engines read a `.dockerignore`."""

import re
from pathlib import Path


def pattern(text: str) -> re.Pattern[str]:
    """One line of it: `**/` stands for any folders, `*` stays within one; the root is implied."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", text.strip().strip("/"))
    expressions = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(expressions.get(part, re.escape(part)) for part in parts))


def visible(folder: Path) -> set[str]:
    """The files that are sent: the last line that matches a file, or a folder above it, decides."""
    lines = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [
        (line.startswith("!"), pattern(line.removeprefix("!")))
        for line in lines
        if line.strip() and not line.startswith("#")
    ]
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in files if sent(path, rules)}


def sent(path: Path, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    """Whether one file is."""
    names = [path.as_posix(), *(above.as_posix() for above in path.parents if above.name)]
    is_sent = True
    for is_kept, rule in rules:
        if any(rule.fullmatch(name) for name in names):
            is_sent = is_kept
    return is_sent
