"""A room that `docs/ways-of-working.md` says a team may delete is missed by nothing that stays."""

import re
import shutil

import pytest

from ..made import Repository, passes
from ..rendering.test_deleting import deletable

VERBS = {
    "adopt": {"adopt"},
    "service": {"serve", "canaries"},
    "tracking": set[str](),
    "platform": {"bring", "summary", "release", "refresh", "template-update"},
}
WALK = (
    "import importlib, pkgutil, churn.delivery as rooms\n"
    "for module in pkgutil.walk_packages(rooms.__path__, rooms.__name__ + '.'):\n"
    "    importlib.import_module(module.name)"
)


def offered(repository: Repository) -> set[str]:
    """The verbs that `churn --help` lists."""
    completed = repository.run("churn", "--help", COLUMNS="200", TERM="dumb")
    return set(re.findall(r"^│ ([a-z-]+)", completed.stdout, re.MULTILINE))


def delete(repository: Repository, *paths: str) -> None:
    """Delete paths, and the stage `track` where the room of tracking is among them."""
    for path in paths:
        folder = repository.folder / path
        assert folder.exists(), path
        shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    if any("tracking" in path for path in paths):
        pipeline = repository.folder / "dvc.yaml"
        text = pipeline.read_text(encoding="utf-8")
        without = re.sub(r"^  track:\n.*?(?=^# )", "", text, flags=re.MULTILINE | re.DOTALL)
        pipeline.write_text(without, encoding="utf-8")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--no-verify", "--message", "What we do not use")


@pytest.mark.parametrize("room", VERBS)
def test_each_room_that_may_be_deleted_is_missed_by_no_other(
    repository: Repository, room: str
) -> None:
    before = offered(repository)
    paths = [path for path in deletable() if f"/{room}/" in path]
    assert paths == [f"src/churn/delivery/{room}/"]
    beside = ["src/churn/delivery/pipeline/track.py"] if room == "tracking" else []
    delete(repository, *paths, *beside)
    assert before - offered(repository) == VERBS[room]
    passes(repository.run("python", "-c", WALK))
    passes(repository.run("churn", "check"))
    for verb in VERBS[room]:
        completed = repository.run("churn", verb)
        assert completed.returncode == 2, completed
        assert "No such command" in completed.stderr


def test_a_room_that_others_need_cannot_be_deleted_unseen(repository: Repository) -> None:
    delete(repository, "src/churn/delivery/promotion/first.py")
    assert repository.run("python", "-c", WALK).returncode == 1


def test_with_everything_deleted_that_may_go_tests_and_hooks_pass(repository: Repository) -> None:
    paths = [path for path in deletable() if (repository.folder / path).exists()]
    assert len(paths) > 15
    delete(repository, *paths)
    passes(repository.run("pytest", "-q", "-m", "not everything and not system"))
    passes(repository.run("pre-commit", "run", "--all-files"))
