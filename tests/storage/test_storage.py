"""Data and models in storage: they come back as they were, and where not, it is said why."""

import hashlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from ..champion.conftest import Shared, blocks, taken
from ..conftest import ROOT
from ..made import Completed, call, fixable, passes

PAGE = (ROOT / "docs/storage.md").read_text(encoding="utf-8")
COMMANDS = blocks("storage.md")
MOVE = COMMANDS["From the local folder to shared storage"]
OTHER = MOVE.index("git pull")  # from here on, somebody else types
BACK = MOVE.index("uv run dvc fetch --all-tags")
OURS = ("data", "models", "reports")
QUICK = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}


def contents(repository: Shared) -> dict[str, str]:
    """The hash of every file that git or DVC keeps of data, models and reports."""
    return {
        str(path.relative_to(repository.folder)): md5(path)
        for name in OURS
        for path in sorted((repository.folder / name).rglob("*"))
        if path.is_file() and path.name != ".gitignore"
    }


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def stored(folder: Path, digest: str) -> Path:
    """Where DVC keeps an object below a cache or a storage."""
    return folder / "files/md5" / digest[:2] / digest[2:]


def forget(repository: Shared) -> None:
    """Empty the cache, and the working folder of what git does not have."""
    shutil.rmtree(repository.folder / ".dvc/cache")
    repository.git("clean", "-d", "-x", "--force", "--quiet", *OURS)
    assert not (repository.folder / "models/champion").exists()


def type_in(repository: Shared, line: str, **changes: str) -> Completed:
    """A line of the page, as somebody would type it."""
    typed = line.replace("uvx copier", f"{shlex.quote(sys.executable)} -m copier")
    environment = repository.surroundings(**changes)
    return call(repository.folder, "bash", "-c", typed, **environment)


def fails(completed: Completed, words: str) -> None:
    """DVC's reason, which the page has a next command for; no traceback."""
    assert completed.returncode != 0, completed
    output = completed.stdout + completed.stderr
    assert words in output, output
    assert "Traceback" not in output
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    (next_,) = [row.split(" | ")[2] for row in rows if words in row.split(" | ")[0]]
    assert re.search(r"command|`uv (run|sync)", next_), next_


# The folder of a new repository


def test_pull_brings_back_the_bytes_that_push_sent(promoted: Shared) -> None:
    before = contents(promoted)
    passes(promoted.run("dvc", "push"), "pushed")
    champion = [name for name in before if name.startswith("models/champion/")]
    assert len(champion) == 5
    for name in champion:
        assert stored(promoted.folder / ".dvc/storage", before[name]).exists()
    forget(promoted)
    passes(promoted.run("dvc", "pull"))
    assert contents(promoted) == before
    promoted.settled()


def test_pull_refuses_what_somebody_changed_in_storage(promoted: Shared) -> None:
    passes(promoted.run("dvc", "push"))
    model = contents(promoted)["models/champion/model.skops"]
    file = stored(promoted.folder / ".dvc/storage", model)
    file.chmod(0o644)
    file.write_bytes(b"hostile")
    forget(promoted)
    fails(promoted.run("dvc", "pull"), "Checkout failed for following targets")
    assert not (promoted.folder / "models/champion").exists()


def test_a_vanished_folder_gives_the_reason_and_start_the_next_command(promoted: Shared) -> None:
    forget(promoted)
    fails(promoted.run("dvc", "pull"), "Missing cache files")
    completed = promoted.run("--quiet", "churn", "start")
    fixable(completed, "Missing cache files", "models/champion", "go on with: uv run churn start")


def test_a_full_disk_gives_the_reason_and_the_same_command_goes_on(promoted: Shared) -> None:
    """The disk is one of 300 KB that only the command sees."""
    before = contents(promoted)
    passes(promoted.run("dvc", "push"))
    full(promoted, ".dvc/storage", "push")
    forget(promoted)
    full(promoted, ".dvc/cache", "pull")
    passes(promoted.run("dvc", "pull"))
    assert contents(promoted) == before


def full(repository: Shared, folder: str, verb: str) -> None:
    small = f"mkdir -p {folder} && mount -t tmpfs -o size=300k tmpfs {folder}"
    program = shlex.quote(str(repository.environment / "bin/dvc"))
    command = ["sh", "-c", f"{small} && exec {program} {verb}"]
    own_mounts = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*own_mounts, "true"], capture_output=True, check=False).returncode:
        own_mounts = ["sudo", "--non-interactive", "unshare", "--mount"]
    fails(call(repository.folder, *own_mounts, *command), "No space left on device")


# Making room


def test_making_room_keeps_champions_and_removes_challengers(promoted: Shared) -> None:
    before = contents(promoted)
    superseded = another_challenger(promoted, 8)
    assert another_challenger(promoted, 7) == before["models/challenger/model.skops"]
    passes(promoted.run("churn", "rollback"))  # now nothing but the tag names the champion
    cache = promoted.folder / ".dvc/cache"
    assert stored(cache, superseded).exists()
    (line,) = COMMANDS["Making room"][:1]
    passes(type_in(promoted, f"yes | {line}"), "Removed")
    assert not stored(cache, superseded).exists()
    promoted.settled()
    promoted.git("checkout", "--quiet", "champion-1")
    passes(promoted.run("dvc", "checkout"))
    assert contents(promoted) == before
    promoted.settled()


def another_challenger(repository: Shared, seed: int) -> str:
    """Train and commit one; the hash of its file."""
    params = (repository.folder / "params.yaml").read_text(encoding="utf-8")
    lines = re.findall(r"^train:\n(?:  .*\n)*?(  seed: \d+)", params, re.MULTILINE)
    (old,) = lines
    text = params.replace(f"train:\n{old}", f"train:\n  seed: {seed}")
    assert text != params
    (repository.folder / "params.yaml").write_text(text, encoding="utf-8")
    passes(repository.run("dvc", "repro", "train"))
    repository.commit(f"Seed {seed}")
    return contents(repository)["models/challenger/model.skops"]


# Shared storage


class Moved(NamedTuple):
    """Two clones after the move; what was there before; the variables with credentials."""

    here: Shared
    other: Shared
    before: dict[str, str]
    keys: dict[str, str]


@pytest.fixture(scope="module")
def moved(
    champions: Path,
    environment: Path,
    store: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Moved:
    """What the page says is done, line by line."""
    home = tmp_path_factory.mktemp("moved")
    here = taken(champions, "promoted", home / "here/churn", environment)
    before = contents(here)
    other = here.cloned(home / "there/churn")
    keys = {name: value for name, value in store.items() if name != "url"} | QUICK
    for number, line in enumerate(MOVE):
        typed = line.replace("https://s3.example.com", store["url"])
        passes(type_in(here if number < OTHER else other, typed, **keys))
        if number + 1 == BACK:
            assert contents(other) == before
    return Moved(here, other, before, keys)


def test_the_move_changes_the_library_and_the_address_alone(moved: Moved) -> None:
    changed = moved.here.git("diff", "--name-only", "HEAD^").split()
    assert changed == [".copier-answers.yml", ".dvc/config", "pyproject.toml", "uv.lock"]
    diff = moved.here.git("diff", "-U0", "HEAD^", "--", "pyproject.toml").splitlines()
    assert [line for line in diff[4:] if line[0] in "+-"] == [
        '-    "dvc>=3.60",',
        '+    "dvc[s3]>=3.60",',
    ]


def test_the_former_champion_comes_from_shared_storage(moved: Moved) -> None:
    assert moved.other.git("describe", "--tags") == "champion-1"
    assert contents(moved.other) == moved.before
    moved.other.settled()


def test_pull_brings_back_the_bytes_from_shared_storage(moved: Moved) -> None:
    forget(moved.here)
    passes(moved.here.run("dvc", "pull", **moved.keys))
    assert contents(moved.here) == moved.before
    moved.here.settled()


def test_making_room_in_shared_storage_keeps_what_branches_and_tags_name(moved: Moved) -> None:
    for line in COMMANDS["Making room"][1:]:
        passes(type_in(moved.other, f"yes | {line}" if "dvc gc" in line else line, **moved.keys))
    forget(moved.other)
    for line in MOVE[BACK:]:
        passes(type_in(moved.other, line, **moved.keys))
    test_the_former_champion_comes_from_shared_storage(moved)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "Forbidden"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "Unable to locate credentials"),
    ],
)
def test_wrong_credentials(moved: Moved, changes: dict[str, str], words: str) -> None:
    fails(moved.here.run("dvc", "push", **moved.keys | changes), words)


def elsewhere(moved: Moved, folder: Path, setting: str, value: str) -> Shared:
    """A clone whose own settings name another store."""
    here = moved.here.copy(folder)
    passes(here.run("dvc", "remote", "modify", "--local", "storage", setting, value))
    return here


def test_a_bucket_that_is_gone(moved: Moved, tmp_path: Path) -> None:
    here = elsewhere(moved, tmp_path / "churn", "url", "s3://another/churn")
    fails(here.run("dvc", "push", **moved.keys), "The specified bucket does not exist")


def test_a_server_that_is_gone_and_comes_back(moved: Moved, tmp_path: Path, nobody: str) -> None:
    reason = "Could not connect to the endpoint URL"
    here = elsewhere(moved, tmp_path / "churn", "endpointurl", f"http://{nobody}")
    fails(here.run("dvc", "push", **moved.keys), reason)
    forget(here)
    completed = here.run("--quiet", "churn", "start", **moved.keys)
    fixable(completed, reason, "go on with: uv run churn start")
    (here.folder / ".dvc/config.local").unlink()
    passes(here.run("dvc", "pull", **moved.keys))
    assert contents(here) == moved.before


def test_a_personal_line_that_an_older_commit_does_not_know(moved: Moved, tmp_path: Path) -> None:
    here = moved.here.copy(tmp_path / "churn")
    (line,) = COMMANDS["Credentials"]
    passes(type_in(here, line))
    here.git("checkout", "--quiet", "champion-1")
    fails(here.run("dvc", "checkout"), "extra keys not allowed")


def test_an_address_without_its_library(promoted: Shared) -> None:
    passes(type_in(promoted, "uv sync"))
    passes(promoted.run("dvc", "remote", "modify", "storage", "url", "s3://bucket/churn"))
    fails(promoted.run("dvc", "push"), "requires 'dvc-s3' to be installed")


# A machine that several people use


def test_hashes_are_kept_in_a_private_place(promoted: Shared, tmp_path: Path) -> None:
    (line,) = COMMANDS["On a machine that several people use"]
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "", "UV_CACHE_DIR": uv_cache()}
    passes(type_in(promoted, line, **home))
    passes(type_in(promoted, "cd src && uv run dvc status", **home), "up to date")
    assert list((tmp_path / ".cache/dvc/repo").iterdir())
    assert promoted.git("status", "--porcelain") == ""


def uv_cache() -> str:
    return call(ROOT, "uv", "cache", "dir").stdout.strip()
