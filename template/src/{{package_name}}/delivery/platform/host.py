"""What a command tells the platform that runs it: outputs of a step, and lines of its page."""

import os
from pathlib import Path


def output(**values: str) -> None:
    """`name=value` for later steps; nowhere on a laptop."""
    _append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in values.items()))


def say(text: str) -> None:
    """Print, and show on the page of the run where there is one."""
    print(text)
    show(f"{text}\n\n")


def show(text: str) -> None:
    """Add to the page of the run, where there is one."""
    _append("GITHUB_STEP_SUMMARY", text)


def _append(where: str, text: str) -> None:
    if path := os.environ.get(where):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
