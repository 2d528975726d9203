"""Lines with a secret and harmless ones, through the command and through the hook."""

import re
from collections.abc import Mapping

from ..made import UV, git
from .conftest import Checked
from .samples import HARMLESS, TRUE, fill

FINDING = re.compile(r"^(.+?):(\d+)(?: \(commit \w+\))?: found a secret, ", re.MULTILINE)
[(_, PLAIN)] = fill({"": ("", '«P» = "«V»"')}).values()


def save(repository: Checked, samples: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Write each sample into a file of its own; the name of each by its path."""
    paths = {}
    for number, (name, (path, line)) in enumerate(samples.items()):
        place = f"docs/{number}/{path}"
        repository.write(place, f"The first line.\n{line}\nThe last line.\n")
        paths[place] = name
    return paths


def commit(repository: Checked, message: str) -> None:
    git(repository.folder, "add", "--all", "--force")
    git(repository.folder, "commit", "--no-verify", "--quiet", "--message", message)


def look_at_history(repository: Checked, code: int) -> list[tuple[str, str]]:
    words = (UV, "run", "--frozen", "churn", "secrets", "--against", "first")
    completed = repository.run(*words)
    assert completed.returncode == code, completed
    return FINDING.findall(completed.stdout)


def look_at_files(repository: Checked, paths: Mapping[str, str], code: int) -> set[str]:
    python = repository.folder / ".venv/bin/python"
    completed = repository.run(python, "-m", "churn.delivery.checks.secrets_in_git", *paths)
    assert completed.returncode == code, completed
    return {path for path, _ in FINDING.findall(completed.stdout)}


def test_each_secret_is_found_before_and_after_the_commit(generated: Checked) -> None:
    assert len(TRUE) >= 60
    paths = save(generated, fill(TRUE))
    # Nothing of these is shown as a difference of text.
    generated.write(".gitattributes", "docs/** binary -diff\n")
    for name, content in {
        "docs/utf-16.txt": f"# ä\n{PLAIN}\n".encode("utf-16"),
        "docs/utf-16-big.py": f"# ä\n{PLAIN}\n".encode("utf-16-be"),
        "docs/old-mac.py": f"# old\r{PLAIN}\r# end\r".encode(),
        "docs/latin-1.py": f"# ä\n{PLAIN}\n".encode("latin-1"),
        "docs/picture.bin": b"\x00\x01\x02\n" + PLAIN.encode() + b"\n\x00",
    }.items():
        generated.write(name, content)
        paths[name] = name
    missed = {paths[path] for path in set(paths) - look_at_files(generated, paths, 1)}
    assert missed == set()
    commit(generated, f"A change\n\nUse {PLAIN} for now.")
    faults = look_at_history(generated, 1)
    missed = {paths[path] for path in set(paths) - {path for path, _ in faults}}
    assert missed == set()
    assert {number for path, number in faults if re.fullmatch(r"docs/\d+/.*", path)} == {"2"}
    assert ("the commit's message.txt", "3") in faults


def test_what_is_harmless_is_not(generated: Checked) -> None:
    assert len(HARMLESS) >= 40
    paths = save(generated, fill(HARMLESS))
    commit(generated, "Prose about a password: expected a digit, as the token says so")
    assert {paths[path] for path, _ in look_at_history(generated, 0)} == set()
    assert look_at_files(generated, paths, 0) == set()
