"""The platform's own actions, as far as a workflow can tell: checkout and artifacts."""

import fnmatch
import glob
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError

from ..made import git
from .expressions import NotRunnable
from .triggers import Event

HEADER = "http.https://github.com/.extraheader"


class Failed(Exception):
    """A step fails, as it would on the platform."""


@dataclass
class Use:
    """A step that uses an action: what the action is given, and what it leaves behind.

    `exported` and `path` are what it would write to GITHUB_ENV and GITHUB_PATH. `afterwards` runs
    when the job has ended well.
    """

    inputs: dict[str, str]
    workspace: Path
    home: Path
    environment: dict[str, str]
    repository: Path
    name: str
    event: Event
    permissions: dict[str, str]
    artifacts: Path
    outputs: dict[str, str] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    afterwards: Callable[[], None] | None = None

    def only(self, known: str) -> None:
        """Refuse inputs that are not emulated."""
        if wrong := set(self.inputs) - set(known.split()):
            raise NotRunnable(f"inputs {', '.join(sorted(wrong))} are not emulated")

    def asks(self, name: str, default: bool = False) -> bool:
        """Whether an input says `true`."""
        return self.inputs.get(name, str(default)).lower() == "true"

    def lines(self, name: str) -> list[str]:
        """The lines of an input. Errors: Failed without any."""
        lines = [line.strip() for line in self.inputs.get(name, "").splitlines() if line.strip()]
        if not lines:
            raise Failed(f"Input required and not supplied: {name}")
        return lines

    def place(self, path: str) -> Path:
        """A path as the action reads it: from the workspace, or from home by `~`."""
        return Path(os.path.normpath(self.workspace / re.sub("^~", str(self.home), path)))


def checkout(use: Use) -> None:
    """Fetch and check out what the event is about, or `ref`, as actions/checkout does."""
    use.only(
        "repository ref token path fetch-depth fetch-tags persist-credentials clean show-progress"
        " set-safe-directory"
    )
    if use.inputs.get("repository", use.name) != use.name:
        raise NotRunnable("only the repository of the run can be checked out")
    folder = use.place(use.inputs.get("path", "."))
    ref, sha = use.event.ref, use.event.sha
    if wanted := use.inputs.get("ref"):
        ref, sha = _resolved(use.repository, wanted)
    target = re.sub("^refs/heads/", "refs/remotes/origin/", ref)
    target = re.sub("^refs/pull/", "refs/remotes/pull/", target)
    depth = use.inputs.get("fetch-depth", "1")
    if not (folder / ".git").exists():
        shutil.rmtree(folder, ignore_errors=True)  # so does the action with what is in its way
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--template=")
        git(folder, "remote", "add", "origin", f"file://{use.repository}")
    if depth == "0":
        everything = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        git(folder, "fetch", "--quiet", "origin", *everything)
    limits = [] if depth == "0" else [f"--depth={depth}"]
    tags = "--tags" if use.asks("fetch-tags") else "--no-tags"
    git(folder, "fetch", "--quiet", tags, *limits, "origin", f"+{sha}:{target}" if target else sha)
    branch = ["-B", ref.removeprefix("refs/heads/")] if ref.startswith("refs/heads/") else []
    git(folder, "checkout", "--quiet", "--force", *branch, target or sha)
    _credentials(use, folder)
    use.outputs |= {"ref": ref or sha, "commit": sha}
    use.log.append(f"checked out {sha} of {ref}")


def _resolved(repository: Path, wanted: str) -> tuple[str, str]:
    """The full name and the commit of a branch, a tag or a commit."""
    if re.fullmatch("[0-9a-f]{40}", wanted):
        return "", wanted
    for ref in (wanted, f"refs/heads/{wanted}", f"refs/tags/{wanted}"):
        if ref.startswith("refs/"):
            try:
                return ref, git(repository, "rev-parse", "--verify", f"{ref}^{{commit}}").strip()
            except CalledProcessError:
                continue
    raise Failed(f"A branch or tag with the name '{wanted}' could not be found")


def _credentials(use: Use, folder: Path) -> None:
    """Leave the token behind until the job ends, and let no push through that it would not."""
    _forget(folder)
    persist = use.asks("persist-credentials", True)
    if persist:
        git(folder, "config", HEADER, "AUTHORIZATION: basic ***")
        use.afterwards = lambda: _forget(folder)
    if not persist or use.permissions.get("contents") != "write":
        reason = "the-token-may-not-write-contents" if persist else "no-credentials-persist"
        git(folder, "config", "remote.origin.pushurl", f"/dev/null/{reason}")


def _forget(folder: Path) -> None:
    if HEADER in git(folder, "config", "--local", "--name-only", "--list"):
        git(folder, "config", "--unset-all", HEADER)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def upload(use: Use) -> None:
    """Keep files beyond the job; hidden ones only if asked for, as the action does from 4.4 on."""
    use.only(
        "name path if-no-files-found retention-days compression-level overwrite"
        " include-hidden-files"
    )
    roots, files = _searched(use)
    name = use.inputs.get("name", "artifact")
    if re.search(r'[":<>|*?\r\n\\/]', name):
        raise Failed(f"The artifact name is not valid: {name}")
    if not files:
        mode = use.inputs.get("if-no-files-found", "warn")
        if mode == "error":
            raise Failed(f"No files were found with the provided path: {use.inputs['path']}")
        use.log += ["::warning::No files were found"] if mode == "warn" else []
        return
    kept = use.artifacts / name
    if kept.exists() and not use.asks("overwrite"):
        raise Failed(f"an artifact with this name already exists: {name}")
    shutil.rmtree(kept, ignore_errors=True)
    root = Path(os.path.commonpath(roots))
    for file in files:
        target = kept / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)  # permissions are lost on the platform too
    number = str(len(list(use.artifacts.iterdir())))
    use.outputs |= {"artifact-id": number, "artifact-url": f"https://github.com/artifacts/{number}"}


def _searched(use: Use) -> tuple[list[Path], list[Path]]:
    """The folders where a search began, and the files found."""
    roots: list[Path] = []
    files: dict[Path, None] = {}
    for line in use.lines("path"):
        pattern = str(use.place(line.removeprefix("!")))
        literal = Path(re.split(r"/[^/]*[*?\[]", pattern)[0])
        matches = glob.glob(pattern, recursive=True, include_hidden=True)  # noqa: PTH207 (hidden)
        for path in map(Path, sorted(matches)):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                hidden = any(part[0] == "." for part in file.relative_to(literal.parent).parts)
                if line.startswith("!"):
                    files.pop(file, None)
                elif file.is_file() and (not hidden or use.asks("include-hidden-files")):
                    files[file] = None
        if not line.startswith("!"):
            roots.append(literal if literal.is_dir() else literal.parent)
    return roots, list(files)


def download(use: Use) -> None:
    """Fetch artifacts of this run, each into a folder of its own unless one is named."""
    use.only("name path pattern merge-multiple")
    artifacts = sorted(use.artifacts.iterdir())
    target = use.place(use.inputs.get("path", "."))
    name = use.inputs.get("name")
    if name and name not in [artifact.name for artifact in artifacts]:
        raise Failed(f"Unable to download artifact(s): Artifact not found for name: {name}")
    for artifact in artifacts:
        if artifact.name == name:
            _copy(artifact, target)
        elif not name and fnmatch.fnmatch(artifact.name, use.inputs.get("pattern", "*")):
            _copy(artifact, target if use.asks("merge-multiple") else target / artifact.name)
    use.outputs["download-path"] = str(target)


Action = Callable[[Use], None]
EMULATED: dict[str, Action] = {
    "actions/checkout": checkout,
    "actions/upload-artifact": upload,
    "actions/download-artifact": download,
}
