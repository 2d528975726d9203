"""`promote`, `rollback`, `champion`: which model is in charge, and how that changes.

A change is one commit on main: the pointer `models/champion.dvc`, the reports that follow from it,
and a paragraph in `docs/releases.md`, with the tag `champion-N` or `rollback-N`. It is whole or it
is not there: what fails before the commit is undone, and after a kill the next call undoes what was
not committed and finishes what was.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..edge.errors import Fixable, Refused
from ..edge.files import find_project, mending, read_json, replaced, write_json
from ..models import in_charge
from ..models.card import read_card

CHAMPION, CHALLENGER = Path("models/champion"), Path("models/challenger")
PART = CHAMPION.with_name(".champion.part")
POINTER = "models/champion.dvc"
RECORD = Path("docs/releases.md")
TOUCHED = (POINTER, "dvc.lock", "reports", str(RECORD))  # what a change may leave half done
JOURNAL = Path(".dvc/tmp/promotion.json")  # what a killed call was doing; git ignores the folder
LOCK = Path(".dvc/tmp/promotion.lock")
DVC_LOCKS = Path(".dvc/tmp/rwlock")  # DVC writes it in place, and reads it before anything else
TRACK = "track"  # the one stage that needs a server: a dead one holds up no change, and a
# repository that has taken it out of dvc.yaml has no MLflow to tell
PACKAGE = __name__.partition(".")[0]
Change = dict[str, Any]


def promote(*, refresh: bool, because: str | None, name: str | None) -> int:
    """Put the challenger in charge, if the verdict allows it, and record why."""
    with alone():
        if resume() == "champion":
            return 0
        change = promotion(refresh=refresh, because=because, name=name)
        return carry_out(change, lambda: copy_challenger(change))


def promotion(*, refresh: bool, because: str | None, name: str | None) -> Change:
    """What puts the challenger in charge, if the verdict allows it; nothing is moved yet."""
    by = ready(name)
    told = allowed(refresh=refresh, because=because, name=name)
    tag = following("champion")
    return {
        "tag": tag,
        "title": f"{tag}: {told['challenger']} takes charge from {told['champion']}",
        "verdict": told["verdict"],
        "sentence": told["sentence"],
        "gain": told["gain"],
        "because": because or ("a refresh was asked for" if refresh else "it is worth more"),
        "by": by,
        "date": datetime.now(UTC).date().isoformat(),
        "data": read_card(CHALLENGER / "card.json", fix=mending(CHALLENGER)).rows,
        "before": {
            "name": in_charge.read_tag(CHAMPION) or "the rule",
            "pointer": Path(POINTER).read_text(encoding="utf-8"),
        },
    }


def rollback(*, because: str | None, name: str | None) -> int:
    """Put back in charge what was there before the present champion."""
    with alone():
        if resume() == "rollback":
            return 0
        change, left = way_back(because=because, name=name)
        return carry_out(change, lambda: restore_pointer(left["before"]["pointer"]))


def way_back(*, because: str | None, name: str | None) -> tuple[Change, Change]:
    """What puts the former champion in charge again, and the promotion that it takes back; nothing
    is moved yet.
    """
    by = ready(name)
    if in_charge.read_tag(CHAMPION) is None:
        raise Fixable(
            "models/champion: expected a promoted model, found the rule, which is first. "
            f"Next: uv run {PACKAGE} champion"
        )
    left = read_json(CHAMPION / "promotion.json")
    tag = following("rollback")
    change: Change = {
        "tag": tag,
        "title": f"{tag}: {left['tag']} gives way to {left['before']['name']}",
        "verdict": "roll back",
        "sentence": f"{left['tag']} is no longer in charge.",
        "gain": None,
        "because": because or "it was asked for",
        "by": by,
        "date": datetime.now(UTC).date().isoformat(),
        "data": {},
    }
    return change, left


@contextmanager
def alone() -> Iterator[None]:
    """Work at the root of the project, with no second promotion or rollback beside this one."""
    os.chdir(find_project(Path.cwd()))
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w", encoding="utf-8") as held:
        try:
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # Windows has no such lock
        except OSError:
            raise Fixable(
                "A promotion or a rollback is running in this folder. Next: wait until it is done"
            ) from None
        yield


def ready(name: str | None) -> str:
    """Stop where no change of the champion is allowed; who makes it, as the record will say."""
    branch = git("branch", "--show-current").strip()
    if branch != "main":
        raise Fixable(
            f"git: expected the branch main, found {branch or 'a detached HEAD'}. "
            "Next: git switch main"
        )
    clean()
    in_charge.read_champion_card(CHAMPION)
    return name or git("var", "GIT_COMMITTER_IDENT").partition(" <")[0]


def allowed(*, refresh: bool, because: str | None, name: str | None) -> dict[str, Any]:
    """The decision, where it is of these files and lets the challenger take charge."""
    if stale := unsettled():
        raise Fixable(
            f"dvc status: expected reports of these files, found {', '.join(stale)} out of date. "
            "Next: uv run dvc repro, then git commit"
        )
    if (CHALLENGER / "card.json").read_bytes() == (CHAMPION / "card.json").read_bytes():
        raise Fixable(
            "models/challenger: expected another model than the champion, found that it is in "
            f"charge already, as {in_charge.read_tag(CHAMPION)}. "
            "Next: change features.py, model.py or the data, then uv run dvc repro"
        )
    told: dict[str, Any] = read_json(Path("reports/decision.json"))
    verdict = told["verdict"]
    if verdict == "ship" or (verdict == "refresh" and refresh) or (because and name):
        return told
    if because:
        raise Fixable(
            'promote --because: expected a name, found none. Next: add --name "Your Name"'
        )
    way = "promote --refresh" if verdict == "refresh" else 'promote --because "…" --name "…"'
    raise Refused(
        f"{told['sentence']}\nThe verdict is {verdict}, so nothing was promoted. "
        f"If it has to be, on record: uv run {PACKAGE} {way}"
    )


def unsettled() -> list[str]:
    """The stages and pointers that DVC finds changed, but for the one that only tells MLflow."""
    return sorted(set(json.loads(dvc("status", "--json"))) - {TRACK})


def clean() -> None:
    """Stop where git has changes that are not committed."""
    if changes := git("status", "--porcelain", "--", ".").strip():
        raise Fixable(
            f"git: expected everything committed, found\n{changes}\nNext: git commit, or git stash"
        )


def following(kind: str) -> str:
    """The next of `champion-1, champion-2, …` (or `rollback-…`).

    The record counts as well as the tags, which a clone may lack.
    """
    told = RECORD.read_text(encoding="utf-8") if RECORD.exists() else ""
    names = git("tag", "--list", f"{kind}-*") + "\n".join(re.findall(rf"{kind}-\d+", told))
    numbers = [int(number) for number in re.findall(rf"^{kind}-(\d+)$", names, re.MULTILINE)]
    return f"{kind}-{max(numbers, default=0) + 1}"


def carry_out(change: Change, move: Callable[[], None]) -> int:
    """Move the pointer, let everything that follows settle, record, commit, tag, register."""
    if trouble := finish(change, prepare(change, move)):
        raise Fixable(trouble)
    return 0


@contextmanager
def for_a_while(change: Change, move: Callable[[], None]) -> Iterator[str]:
    """The commit of a change that is somebody else's to merge: branch, files and champion here
    are afterwards what they were, whatever happens.
    """
    before = git("rev-parse", "HEAD").strip()
    made = prepare(change, move, proposed=True)
    try:
        yield made
    finally:
        take_back(before)


def take_back(before: str) -> None:
    """Undo a change that was committed here only to be proposed."""
    git("reset", "--quiet", "--soft", before)
    undo()


def prepare(change: Change, move: Callable[[], None], *, proposed: bool = False) -> str:
    """Make the commit of a change; without one, nothing is changed."""
    before = git("rev-parse", "HEAD").strip()
    write_json({"before": before, "change": change, "proposed": proposed}, JOURNAL)
    try:
        step("champion", move)
        step("pipeline", settle)
        step("record", lambda: record(change))
        step("commit", lambda: commit(change))
    except Fixable as problem:
        if committed(before, change) is None:
            undo()
            raise Fixable(f"{problem}\nIt was undone; the champion is what it was.") from None
    return committed(before, change) or "HEAD"


def settle() -> None:
    """Run what follows from the champion; that MLflow cannot be reached stops no change."""
    ran = call(["dvc", "repro", "--keep-going"], check=False)
    if ran.returncode and unsettled():
        raise failed(["dvc", "repro"], ran)


def copy_challenger(change: Change) -> None:
    """The challenger's folder, with its predictions and the promotion, becomes the champion's."""
    shutil.rmtree(PART, ignore_errors=True)
    shutil.copytree(CHALLENGER, PART)
    shutil.copy(Path("data/predictions/challenger.parquet"), PART / "predictions.parquet")
    write_json(change, PART / "promotion.json")
    shutil.rmtree(CHAMPION)
    PART.replace(CHAMPION)
    dvc("add", "--quiet", str(CHAMPION))


def restore_pointer(pointer: str) -> None:
    """Bring back the folder that an earlier pointer names, from cache or storage."""
    with replaced(Path(POINTER)) as part:
        part.write_text(pointer, encoding="utf-8")
    if call(["dvc", "checkout", "--quiet", "--force", POINTER], check=False).returncode == 0:
        return
    asked = call(["dvc", "pull", "--quiet", "--force", POINTER], check=False)
    if asked.returncode and not is_rule(pointer):
        raise failed(["dvc", "pull", POINTER], asked)


def is_rule(pointer: str) -> bool:
    """Whether a pointer names the rule, whose card can be written anew; if so, it is."""
    shutil.rmtree(CHAMPION, ignore_errors=True)
    in_charge.main([str(CHAMPION)])
    dvc("add", "--quiet", str(CHAMPION))
    return Path(POINTER).read_text(encoding="utf-8") == pointer


def record(change: Change) -> None:
    """Append the change to `docs/releases.md`, for people."""
    gain = change["gain"]
    facts = {
        "Verdict": f"{change['verdict']}. {change['sentence']}",
        "Why": change["because"],
        "Who": change["by"],
        "Gain": gain
        and f"{gain['estimate']:,.0f} ({told(gain)}) {gain['unit']}, n = {gain['n']:,}",
        "Data": ", ".join(f"{part} {digest[:12]}" for part, digest in change["data"].items()),
        "Model": pointer_hash(),
    }
    lines = [f"- {name}: {fact}" for name, fact in facts.items() if fact]
    whole = (
        RECORD.read_text(encoding="utf-8")
        if RECORD.exists()
        else "# Releases\n\nWhich model took charge when, and why; newest last.\n"
    )
    whole += f"\n## {change['date']} {change['title']}\n\n" + "\n".join(lines) + "\n"
    with replaced(RECORD) as part:
        part.write_text(whole, encoding="utf-8")


def told(gain: dict[str, Any]) -> str:
    """The bounds of a gain in words."""
    return (
        "too few to tell"
        if gain["lower"] is None
        else f"{gain['lower']:,.0f} to {gain['upper']:,.0f}"
    )


def pointer_hash() -> str:
    """The hash by which DVC knows the champion's folder."""
    lines = Path(POINTER).read_text(encoding="utf-8").splitlines()
    return next(line.split("md5:")[1].strip() for line in lines if "md5:" in line)


def commit(change: Change) -> None:
    """One commit of everything that the change touched."""
    git("add", "--all", ".")
    git("commit", "--quiet", "--message", change["title"], "--message", change["sentence"])


def finish(change: Change, committed: str) -> str | None:
    """What follows the commit and can be done again: tag, and registry; what went wrong there."""
    tag, title = change["tag"], change["title"]
    if not git("tag", "--list", tag).strip():
        step("tag", lambda: git("tag", "--annotate", tag, "--message", title, committed))
    trouble = None
    if tells_mlflow():
        print("  registry", flush=True)
        trouble = register()
    JOURNAL.unlink()
    print(f"\n{title}.\n{change['sentence']}\nNext: git push --follow-tags, uv run dvc push")
    return trouble


def tells_mlflow() -> bool:
    """Whether the pipeline has its stage `track`."""
    pipeline = Path("dvc.yaml").read_text(encoding="utf-8")
    return re.search(rf"^  {TRACK}:", pipeline, re.MULTILINE) is not None


def register() -> str | None:
    """Let MLflow's alias `champion` follow; what to do by hand where that fails."""
    tag = in_charge.read_tag(CHAMPION) or "rule"
    module = f"{PACKAGE}.delivery.tracking.registry"
    words = ["python", "-m", module, "params.yaml", str(CHAMPION), tag]
    asked = call(words, check=False)
    if asked.returncode == 0:
        return None
    return (
        f"The champion has changed here; MLflow has not heard of it:\n{asked.stderr.strip()}\n"
        f"Next, when it can be reached: uv run {' '.join(words)}"
    )


def resume() -> str | None:
    """Finish or undo what a killed call had begun; `champion` or `rollback` where it finished."""
    if not JOURNAL.exists():
        return None
    left = json.loads(JOURNAL.read_text(encoding="utf-8"))
    change = left["change"]
    unlock()
    found = committed(left["before"], change)
    head = git("rev-parse", "HEAD").strip()
    if found and not left.get("proposed"):
        print(f"Finishing what was begun: {change['title']}")
        if trouble := finish(change, found):
            print(trouble, file=sys.stderr)
        return str(change["tag"]).partition("-")[0]
    if head not in {left["before"], found}:
        raise Fixable(
            f"{JOURNAL}: a call that was killed began from {left['before'][:12]}, and commits came "
            "since.\n"
            f"Next: git status; if {POINTER} is as you want it, delete {JOURNAL}"
        )
    if found:
        print(f"Taking back first what was only to be proposed: {change['title']}")
        take_back(left["before"])
        return None
    print(f"Undoing first what was begun and not committed: {change['title']}")
    undo()
    return None


def committed(before: str, change: Change) -> str | None:
    """The commit of a change, if it came to that."""
    told = git("log", "--format=%H %s", f"{before}..HEAD").splitlines()
    return next(
        (line.split()[0] for line in told if line.partition(" ")[2] == change["title"]), None
    )


def undo() -> None:
    """Bring back the champion of the last commit, with its reports; other edits stay."""
    git("reset", "--quiet", "--", ".")
    known = git("ls-tree", "-r", "--name-only", "HEAD", "--", *TOUCHED).splitlines()
    git("checkout", "--quiet", "HEAD", "--", *known)
    if str(RECORD) not in known:
        RECORD.unlink(missing_ok=True)
    shutil.rmtree(PART, ignore_errors=True)
    restore_pointer(git("show", f"HEAD:./{POINTER}"))
    dvc("checkout", "--quiet", "--force")
    JOURNAL.unlink()


def unlock() -> None:
    """Take away what a git and a DVC that were killed together with us have left: a lock, and a
    table of locks half written.
    """
    git_lock = Path(git("rev-parse", "--git-path", "index.lock").strip())
    if git_lock.exists() or half_written(DVC_LOCKS):
        time.sleep(1)  # one that is alive, of an editor perhaps, is done by then
        git_lock.unlink(missing_ok=True)
        if half_written(DVC_LOCKS):
            DVC_LOCKS.unlink()


def half_written(path: Path) -> bool:
    """Whether a file is there and is no JSON."""
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def champion() -> int:
    """Say which model is in charge, since when, why, and what it would be worth."""
    os.chdir(find_project(Path.cwd()))
    card = in_charge.read_champion_card(CHAMPION)
    if in_charge.read_tag(CHAMPION) is None:
        print("The rule is in charge, as it is in the business today.")
    else:
        found = read_json(CHAMPION / "promotion.json")
        print(f"{card.name} ({found['tag']}) is in charge, promoted on {found['date']}.")
        print(f"Put there by {found['by']}, because {found['because']}.")
        print(f"What was known then: {found['sentence']}")
        print(
            f"Trained on {card.trained_on:,} rows"
            + (f" until {card.trained_until}." if card.trained_until else ".")
        )
    told = RECORD.read_text(encoding="utf-8") if RECORD.exists() else ""
    if changes := re.findall(r"^## (\S+) (\S+: .+)$", told, re.MULTILINE):
        date, title = changes[-1]
        print(f"In charge since {date} ({title}). Every change: {RECORD}")
    else:
        print("Nothing was promoted yet.")
    return 0


def step(name: str, do: Callable[[], object]) -> None:
    """One step with a line of progress."""
    print(f"  {name}", flush=True)
    do()


def git(*arguments: str, **environment: str) -> str:
    """What git says."""
    return call(["git", *arguments], environment=environment).stdout


def dvc(*arguments: str) -> str:
    """What DVC of this environment says."""
    return call(["dvc", *arguments]).stdout


def call(
    command: list[str], *, check: bool = True, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command; where it fails, what it said is the message."""
    python = {"dvc": [sys.executable, "-m", "dvc"], "python": [sys.executable]}
    words = [*python.get(command[0], command[:1]), *command[1:]]
    inherited = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        env=inherited | (environment or {}),
        stdin=subprocess.DEVNULL,
    )
    if check and done.returncode:
        raise failed(command, done)
    return done


def failed(command: list[str], done: subprocess.CompletedProcess[str]) -> Fixable:
    """What a command that failed said last."""
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
    shown = command if command[0] == "git" else ["uv", "run", *command]
    return Fixable("\n".join([f"Failed: {' '.join(shown)}", *said]))
