"""Somebody who does what a page of `docs/` says, block by block."""

import re
from pathlib import Path

from ..conftest import EXAMPLES, Render, tracking
from ..made import UV, Repository, call, git, passes
from .pages import Block, blocks

FIGURE = re.compile(r"-?\d[\d,.]*")


class Reader:
    """Somebody who does what a page says, in a repository of their own."""

    def __init__(self, folder: Path, *verb: str) -> None:
        verb = verb or ("start",)
        self.repository = Repository(folder, call(folder, UV, "run", folder.name, *verb))
        passes(self.repository.how)
        self.output = self.repository.how.stdout
        self.decisions: list[str] = []

    def follow(self, page: str) -> None:
        """Do every block of a page in order."""
        for block in blocks(page):
            if block.language == "bash":
                self.run(block.text)
            elif block.language == "text":
                self.expect(block.text)
            else:
                self.write(block)

    def run(self, commands: str) -> None:
        """Run a block of commands as it stands; it has to succeed."""
        completed = call(self.repository.folder, "bash", "-euo", "pipefail", "-c", commands)
        assert completed.returncode == 0, f"{commands}{completed.stdout}{completed.stderr}"
        assert "No test yet" not in completed.stdout, completed.stdout
        self.output = completed.stdout + self.report()
        if "dvc repro" in commands:
            self.decisions.append(self.repository.json("reports/decision.json")["verdict"])

    def tidy(self, page: str) -> None:
        """What a page has written passes the checks of the repository."""
        written = [block.file for block in blocks(page) if (block.file or "").endswith(".py")]
        passes(self.repository.run("ruff", "check", *map(str, written)))
        passes(self.repository.run("ruff", "format", "--check", *map(str, written)))
        passes(self.repository.run("mypy", "src"))

    def report(self) -> str:
        return (self.repository.folder / "reports/report.md").read_text(encoding="utf-8")

    def expect(self, expected: str) -> None:
        """Each line was printed or is in the report. Figures may differ: libraries move on."""
        lines = {FIGURE.sub("#", line.strip()) for line in self.output.splitlines()}
        for line in expected.splitlines():
            assert FIGURE.sub("#", line.strip()) in lines, f"{line}\nis not in:\n{self.output}"

    def write(self, block: Block) -> None:
        """Write a whole file, or in `params.yaml` the one line with the same key."""
        assert block.file is not None, block
        assert "/delivery/" not in block.file
        path = self.repository.folder / block.file
        if block.file == "params.yaml":
            (line,) = block.text.splitlines()
            key = line.partition(":")[0]
            (old,) = re.findall(rf"^{key}:.*$", path.read_text(encoding="utf-8"), re.MULTILINE)
            self.repository.edit(block.file, f"\n{old}\n", f"\n{line}\n")
        else:
            assert path.exists(), f"{block.file} is no file of a new repository"
            path.write_text(block.text, encoding="utf-8")


def reader(
    render: Render,
    environment: Path,
    name: str,
    problem: str = "classification",
    units: int = 2000,
    verb: tuple[str, ...] = (),
) -> Reader:
    """A new repository in which a verb has run, `start` if no other, on fewer units than that of
    the example.
    """
    folder = render(name, problem=problem)
    git(folder, "init", "--quiet", "-b", "main")
    (folder / ".venv").symlink_to(environment)
    pipeline, params = folder / "dvc.yaml", folder / "params.yaml"
    pipeline.write_text(pipeline.read_text().replace(tracking(pipeline.read_text()), ""))
    count = re.compile(rf"\b{EXAMPLES[problem][0]}: \d+")
    params.write_text(count.sub(f"{EXAMPLES[problem][0]}: {units}", params.read_text()))
    return Reader(folder, *verb)
