"""A process that has imported libraries, and forks for each Python that asks for it.

`python -m _exemplar_fork SOCKET MODULE...` serves until its standard input ends. `ask` is called by
a `.pth` file as any Python of the environment starts: it has the command done by a fork and ends as
the fork ended, or returns where that would not be the same.
"""

import array
import marshal
import os
import sys

COUNTS = (
    "ARROW_", "BLIS_", "COVERAGE_", "DVC_", "FSSPEC_", "GLIBC_", "LANG", "LC_", "LD_", "MALLOC_",
    "MKL_", "MLFLOW_LOGGING_", "MPL", "NUMPY_", "OMP_", "OPENBLAS_", "POLARS_", "PYTHON", "RAYON_",
    "RUST_", "SCIPY_", "SKLEARN_", "TQDM_", "TZ",
)  # fmt: skip
"""Beginnings of variables that Python, or a library as it is imported, reads."""

FOLLOWED = (
    "DVC_ROOT", "DVC_STAGE", "LANGUAGE_MODEL_KEY", "LANGUAGE_MODEL_URL", "PYTHONPATH",
    "PYTHONUNBUFFERED",
)  # fmt: skip
"""Those of them that a fork follows, that delivery reads, or that DVC sets for what it starts."""

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "_RJEM_MALLOC_CONF": "background_thread:false",  # of polars' allocator
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""What keeps libraries from starting threads, which a fork would not have."""

IDLE = {"polars-ooc-clea"}
"""Threads that do nothing until a table is larger than memory."""


def is_wanted(words: list[str]) -> bool:
    """Whether `python <words>` is a command whose libraries the server has."""
    if len(words) > 1 and words[0] == "-m":
        return words[1] == "dvc" or ".delivery." in words[1]
    here = os.path.realpath(os.path.dirname(sys.executable))
    if not words or os.path.realpath(os.path.dirname(words[0])) != here:  # through a link as well
        return False
    with open(words[0], "rb") as script:
        text = script.read(500)
    if b".delivery.cli import" in text:
        return words[1:2] != ["serve"]
    names = (b"dvc.cli", b"exemplar.cli", b"_pytest.config")
    return any(b"from %b import" % name in text for name in names)


def surroundings() -> list[object]:
    """What has to be the same in the server and in who asks it."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(COUNTS) and name not in FOLLOWED
    }
    packages = os.path.dirname(__file__)
    libraries = sorted(
        name
        for name in os.listdir(packages)
        if name.endswith(".dist-info") and not is_editable(f"{packages}/{name}/direct_url.json")
    )
    spaces = [os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "net", "pid", "user")]
    root = os.stat("/")
    return [
        os.path.realpath(sys.prefix), sorted(variables.items()), libraries,
        spaces, root.st_dev, root.st_ino, os.getuid(), os.getgid(),
    ]  # fmt: skip


def is_editable(path: str) -> bool:
    """Whether this is about the project at hand, which is installed from its folder."""
    if not os.path.exists(path):
        return False
    with open(path, "rb") as file:
        return b'"editable":true' in file.read().replace(b" ", b"")


def ask(server: str = "") -> None:
    """Have the command done and end as it ended; return where it has to be done here."""
    words = sys.orig_argv[1:]
    if "PRE_COMMIT" in os.environ:
        return
    try:
        if not is_wanted(words) or any(os.isatty(number) for number in range(3)):
            return
        import _socket

        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        connection.connect(server or os.environ["EXEMPLAR_WARM"])
        umask = os.umask(0o077)
        os.umask(umask)
        here = (surroundings(), words, os.getcwd(), dict(os.environ), umask)
        job = marshal.dumps([*here, sys.path, sys.executable, sys.prefix])
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
        connection.sendmsg([len(job).to_bytes(4, "big")], rights)
        connection.sendall(job)
        if connection.recv(1) != b"y":
            return
    except OSError:
        return
    answer = connection.recv(4)
    code = int.from_bytes(answer, "big", signed=True) if answer else -9
    if code < 0:  # by a signal, so that whoever waits sees the same
        import signal

        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def main(path: str, modules: list[str]) -> None:
    """Listen first, so that who comes early waits; then import, and serve."""
    import gc
    import importlib
    import socket

    os.environ.update(QUIET)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(256)
        os.write(1, b"listening\n")
        parent = os.dup(0)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(2, 1)
        for name in modules:
            importlib.import_module(name)
        if "anyio" in sys.modules:  # pytest would warn that it comes too late to rewrite its plugin
            sys.modules["anyio"].__doc__ = "PYTEST_DONT_REWRITE"
        if "diskcache" in sys.modules:  # DVC's tables of hashes: no test needs to outlive a crash
            sys.modules["diskcache.core"].DEFAULT_SETTINGS["sqlite_synchronous"] = 0
        names = threads()
        assert names <= IDLE, f"a fork would be without the threads {names}"
        importlib.invalidate_caches()  # here, as a fork has to copy each page that it touches
        sys.path_importer_cache.clear()
        gc.collect()
        gc.freeze()
        loop(listening, parent)


def threads() -> set[str]:
    """The names of the threads beside this one."""
    names = set()
    for task in os.listdir("/proc/self/task"):
        if int(task) != os.getpid():
            with open(f"/proc/self/task/{task}/comm") as file:
                names.add(file.read().strip())
    return names


def loop(listening: object, parent: int) -> None:
    """Fork for each who asks, tell each how its fork ended, and end the forks of who has gone."""
    import contextlib
    import selectors
    import signal
    import socket

    assert isinstance(listening, socket.socket)
    here, imported = surroundings(), list_imported()
    jobs: dict[int, socket.socket] = {}
    selector = selectors.DefaultSelector()
    selector.register(listening, selectors.EVENT_READ)
    selector.register(parent, selectors.EVENT_READ)

    def end(pid: int) -> None:
        for kill in (os.kill, os.killpg):
            with contextlib.suppress(ProcessLookupError):
                kill(pid, signal.SIGKILL)

    while True:
        for key, _ in selector.select():
            if key.fileobj is listening:
                connection, _ = listening.accept()
                connection.settimeout(10)
                try:
                    pid = begin(connection, here, imported)
                except (OSError, EOFError, ValueError):
                    connection.close()
                    continue
                jobs[pid] = connection
                selector.register(connection, selectors.EVENT_READ, pid)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
            elif key.fileobj == parent:
                for pid in jobs:
                    end(pid)
                return
            elif isinstance(key.fileobj, socket.socket):  # who asked has gone
                if key.data in jobs:
                    selector.unregister(key.fileobj)
                    end(key.data)
            else:
                _, status = os.waitpid(key.data, 0)
                selector.unregister(key.fileobj)
                os.close(int(str(key.fileobj)))
                connection = jobs.pop(key.data)
                with contextlib.suppress(KeyError):
                    selector.unregister(connection)
                with contextlib.suppress(OSError):
                    code = os.waitstatus_to_exitcode(status)
                    connection.sendall(code.to_bytes(4, "big", signed=True))
                connection.close()


def begin(connection: object, here: list[object], imported: frozenset[str]) -> int:
    """The process that does what is asked; ValueError where a fork would not be the same."""
    import contextlib
    import socket

    assert isinstance(connection, socket.socket)
    size, descriptors, *_ = socket.recv_fds(connection, 4, 3)
    try:
        with connection.makefile("rb") as file:
            client, *job = marshal.loads(file.read(int.from_bytes(size, "big")))
        if client != here or is_shadowed(job[2].get("PYTHONPATH", ""), imported):
            other = [pair for pair in zip(client, here, strict=True) if pair[0] != pair[1]]
            print("cold:", *job[0][:2], other, file=sys.stderr, flush=True)
            raise ValueError
        pid = os.fork()
        if pid == 0:
            become(descriptors, *job)
        with contextlib.suppress(OSError):  # who asked has gone, as `loop` will see
            connection.sendall(b"y")
        return pid
    finally:
        for number in descriptors:
            os.close(number)


def list_imported() -> frozenset[str]:
    """What is imported already; once, as it touches a page of memory for each name, which the
    forks and the server then no longer share.
    """
    names = {name.partition(".")[0] for name in sys.modules}
    return frozenset(names | {"sitecustomize", "usercustomize"})


def is_shadowed(folders: str, imported: frozenset[str]) -> bool:
    """Whether PYTHONPATH has something in place of a module that is imported already."""
    return any(
        name.partition(".")[0] in imported
        for folder in folders.split(os.pathsep)
        if os.path.isabs(folder) and os.path.isdir(folder)
        for name in os.listdir(folder)
    )


def become(
    descriptors: list[int], words: list[str], cwd: str, environment: dict[str, str], umask: int,
    path: list[str], executable: str, prefix: str,
) -> None:  # fmt: skip
    """Be the process that was asked for, from here to its end."""
    import atexit
    import threading
    import traceback

    code = 1
    try:
        os.setsid()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os.closerange(3, 1024)
        os.chdir(cwd)
        os.umask(umask)
        os.environ.clear()
        os.environ.update(environment)
        sys.orig_argv, sys.executable, sys.path[:] = [executable, *words], executable, path
        sys.prefix = sys.exec_prefix = prefix
        afresh(os.path.basename(words[words[0] == "-m"]))
        try:
            run(words)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
            if code and not isinstance(error.code, int):
                print(error.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code & 0xFF)


def afresh(command: str) -> None:
    """Bring back what a new process begins with: streams, random numbers, the temporary folder."""
    import tempfile

    assert sys.__stdout__ is not None
    assert sys.__stderr__ is not None
    if command != "dvc":  # DVC's modules put wrappers around them as they are imported
        before = sys.__stderr__  # the server's: a file, which can be sought in as a pipe cannot
        sys.__stderr__ = open(  # type: ignore[misc]  # noqa: SIM115
            2, "w", 1, encoding=before.encoding, errors=before.errors, closefd=False
        )
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    sys.__stdout__.reconfigure(line_buffering=bool(os.environ.get("PYTHONUNBUFFERED")))
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()  # `random` does so by itself
    tempfile.tempdir = None


def run(words: list[str]) -> None:
    """`python <words>` in this process."""
    import runpy
    import types

    sys.modules["__main__"] = types.ModuleType("__main__")
    if words[0] == "-m":
        sys.argv = ["-m", *words[2:]]
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(words[1])  # type: ignore[attr-defined]
    else:
        sys.argv = words
        sys.path.insert(0, os.path.dirname(words[0]))
        with open(words[0], "rb") as script:
            exec(compile(script.read(), words[0], "exec"), vars(sys.modules["__main__"]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
