"""Makes `.venv` ready for the other scripts: BetterOMS from this checkout, for `dev` with its tools.

Needs nothing but the standard library. It does nothing where `.venv` was made ready for this very
`pyproject.toml` in this very place; two at once wait for each other. Uses uv where that is installed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
KINDS = ("run", "dev")


@contextmanager
def locked() -> Iterator[None]:
    """Hold the checkout; the system lets go of it however we end."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    with PROJECT.open("rb") as project:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(project, fcntl.LOCK_EX)
        yield


def fingerprint() -> str:
    """What the environment must have been made for: a moved checkout needs another one."""
    return f"{hashlib.sha256(PROJECT.read_bytes()).hexdigest()} {ROOT}\n"


def stamp(kind: str) -> Path:
    return VENV / f"betteroms-{kind}"


def ready(kind: str) -> bool:
    kinds = KINDS[KINDS.index(kind) :]  # what serves for dev serves to run
    return any(_read(stamp(each)) == fingerprint() for each in kinds) and usable()


def usable() -> bool:
    """Whether there is an interpreter that starts and is new enough: an upgraded system can break it."""
    probe = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def make(kind: str) -> None:
    print(f"Setting up {VENV.name} ({kind}); this takes a minute, once.", file=sys.stderr, flush=True)
    stamps = [_read(stamp(each)) for each in KINDS]
    moved = any(text and text.partition(" ")[2] != f"{ROOT}\n" for text in stamps)
    if moved or not usable():
        shutil.rmtree(VENV, ignore_errors=True)
    wanted = ["--editable", str(ROOT), *(tools() if kind == "dev" else [])]
    uv = shutil.which("uv")
    if uv:
        if not usable():
            run([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)])
        run([uv, "pip", "install", "--quiet", "--python", str(PYTHON), *wanted])
    else:
        run([sys.executable, "-m", "venv", str(VENV)])
        run([str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input", *wanted])
    for each in KINDS[: KINDS.index(kind) + 1]:
        stamp(each).write_text(fingerprint())


def tools() -> list[str]:
    """The group `dev`, read here because older pips do not know groups."""
    listed: list[str] = tomllib.loads(PROJECT.read_text())["dependency-groups"]["dev"]
    return listed


def run(command: list[str]) -> None:
    """Run a step with its talk on stderr, since stdout belongs to the script that called us."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for misleading in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"):
        environment.pop(misleading, None)
    # Every command is one of ours, with paths of this checkout.
    done = subprocess.run(command, stdout=sys.stderr, env=environment, cwd=ROOT, check=False)  # noqa: S603
    if done.returncode:
        hint = " (on Debian and Ubuntu it needs the package python3-venv)" if "venv" in command else ""
        sys.exit(f"Set-up failed: {' '.join(command[:4])} ...{hint}")


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def main() -> None:
    kind = sys.argv[1]
    if ready(kind):
        return
    with locked():
        if not ready(kind):
            make(kind)


if __name__ == "__main__":
    main()
