"""The image itself, built and started by `buildah` on a base that `debootstrap` makes. Opt-in:

    uv run pytest -n0 -s -m container tests/container

It needs root, and Debian with its packages `buildah` and `debootstrap`; the page's `docker` becomes
`buildah`.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..champion.conftest import Shared, blocks
from ..made import call, passes, surroundings
from ..ports import free_port
from .context import visible
from .running import serving
from .test_service import asking

pytestmark = pytest.mark.container
BUILD, RUN = blocks("container.md")["Build and start the image"]
BASE = "localhost/base"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
READ_ONLY = """
mount --bind "$0" "$0" && mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" &&
mount -o remount,bind,ro "$0" && ! touch "$0/app/x" 2>/dev/null &&
exec chroot --userspec=10001:10001 "$0" /usr/bin/env -i --chdir=/app "$@"
"""
INDEX = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX")


class Buildah:
    """`buildah` with a storage of its own."""

    def __init__(self, folder: Path) -> None:
        self.start = ["buildah", "--root", f"{folder}/images", "--runroot", f"{folder}/run"]

    def __call__(self, *words: str | Path) -> str:
        completed = subprocess.run(
            [*self.start, *words], env=surroundings(), capture_output=True, text=True, check=False
        )
        assert completed.returncode == 0, completed.stdout[-3000:] + completed.stderr[-3000:]
        return completed.stdout.strip()


def debian(folder: Path) -> None:
    """A smallest Debian with Python, of this machine's release and from its own mirror."""
    release = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )["VERSION_CODENAME"]
    columns = "--format=$(RELEASE) $(COMPONENT) $(SITE)"
    lines = subprocess.run(
        ["apt-get", "indextargets", columns, "Created-By: Packages"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    mirror = next(line.split()[2] for line in lines if line.startswith(f"{release} main "))
    with_python = "--include=python3,python3-venv,ca-certificates"
    words = ["debootstrap", "--variant=minbase", with_python, release, str(folder), mirror]
    completed = subprocess.run(words, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout[-2000:]


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """With the base in its storage; all of it is removed in the end."""
    for tool in ("buildah", "debootstrap"):
        assert shutil.which(tool), f"apt-get install {tool}"
    folder = tmp_path_factory.mktemp("buildah")
    made = Buildah(folder)
    debian(folder / "debian")
    container = made("from", "scratch")
    made("add", "--quiet", container, folder / "debian", "/")
    made("copy", "--quiet", container, CERTIFICATES, CERTIFICATES)
    trusted = [f"{name}={CERTIFICATES}" for name in ("SSL_CERT_FILE", "PIP_CERT")]
    trusted += [f"{name}={os.environ[name]}" for name in INDEX if name in os.environ]
    made("config", *(f"--env={setting}" for setting in trusted), container)
    made("commit", "--quiet", "--rm", container, BASE)
    yield made
    made("rm", "--all")
    made("rmi", "--all", "--force")
    shutil.rmtree(folder / "debian")


def build(buildah: Buildah, repository: Shared, tag: str) -> str:
    """The page's command, in the words of `buildah`."""
    line = BUILD.replace("docker build", "echo").replace("churn:local", tag)
    completed = repository.shell(line)
    assert completed.returncode == 0, completed
    words = shlex.split(BUILD.replace("churn:local", tag))
    version = repository.run("python", "-m", "churn.delivery.service.built_in").stdout.strip()
    values = {"REVISION": repository.git("rev-parse", "HEAD"), "VERSION": version}
    words = [re.sub(r"^(\w+)=\$\(.*\)$", lambda m: f"{m[1]}={values[m[1]]}", w) for w in words]
    assert f"VERSION={version}" in completed.stdout
    extra = ["--isolation=chroot", "--format=docker", "--pull-never", "--build-arg", f"BASE={BASE}"]
    return buildah("build", *extra, *words[2:-1], repository.folder)


def test_the_image_is_built_started_and_answers(
    buildah: Buildah, untouched: dict[str, Shared]
) -> None:
    repository = untouched["champion-1"]
    since = time.monotonic()
    build(buildah, repository, "churn:local")
    took = time.monotonic() - since
    image = json.loads(buildah("inspect", "--type=image", "churn:local"))["Docker"]
    config = image["config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert config["Labels"]["org.opencontainers.image.version"] == "champion-1"
    assert config["Labels"]["org.opencontainers.image.revision"] == repository.git(
        "rev-parse", "HEAD"
    )
    size = buildah("images", "--format", "{{.Size}}", "churn:local")
    container = buildah("from", "--pull-never", "churn:local")
    root = Path(buildah("mount", container))
    assert list(root.glob("opt/service/lib/python3*/site-packages/mlflow*")) == []
    assert not (root / "opt/uv").exists()
    assert list((root / "opt/service").rglob("tests")) == []
    assert not (root / "app/models/challenger").exists()
    assert list((root / "app/src/churn/delivery").rglob("*.pyc"))
    port = free_port()
    entry = [*config["Entrypoint"], *config["Cmd"], "--port", str(port)]
    inside = [*buildah.start, "run", "--isolation=chroot", container, "--"]
    health = [word.replace("8000", str(port)) for word in config["Healthcheck"]["Test"][1:]]
    with serving([*inside, *entry], repository.folder, port) as up:
        passes(repository.run(*asking(repository, up.url)), "champion-1 answers 20 canary rows")
        passes(call(repository.folder, *inside, *health))
    assert call(repository.folder, *inside, *health).returncode == 1
    print(f"\nimage {size}, built in {took:.0f} s, ready after {up.seconds:.1f} s")

    assert "--read-only" in RUN
    words = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(root), *config["Env"], *entry]
    with serving(words, repository.folder, port) as up:
        passes(repository.run(*asking(repository, up.url)), "champion-1 answers 20 canary rows")
    print(f"with a root that cannot be written: ready after {up.seconds:.1f} s")
    buildah("umount", container)
    buildah("rm", container)


def test_the_engine_sees_the_files_that_the_other_tests_say(
    buildah: Buildah, promoted: Shared
) -> None:
    (promoted.folder / ".env").write_text("secret")
    (promoted.folder / "src/churn/.env").write_text("secret")
    container = buildah("from", "scratch")
    ignoring: list[str | Path] = [
        "--ignorefile",
        promoted.folder / ".dockerignore",
        "--contextdir",
        promoted.folder,
    ]
    buildah("copy", "--quiet", *ignoring, container, promoted.folder, "/context")
    root = Path(buildah("mount", container)) / "context"
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert files == visible(promoted.folder)
    buildah("rm", container)


def test_another_champion_than_the_one_of_the_commit_stops_the_build(
    buildah: Buildah, promoted: Shared
) -> None:
    card = promoted.folder / "models/champion/card.json"
    card.chmod(0o644)
    card.write_text(card.read_text() + "\n")
    words = ["build", "--isolation=chroot", "--format=docker", "--pull-never"]
    words += ["--build-arg", f"BASE={BASE}", "--tag", "churn:wrong", str(promoted.folder)]
    with pytest.raises(AssertionError, match="expected the folder of this commit"):
        buildah(*words)
