"""Sets up what `make` needs on a bare machine: .venv, nbdiag in it, the bundles, a browser.

Runs with the standard library alone and does nothing that has been done already:
`python3 tools/setup.py demo`, or `python3 tools/setup.py test`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
sys.path.insert(0, str(ROOT))


def run(*command: str | Path, **kwargs: object) -> None:
    subprocess.run([str(part) for part in command], check=True, **kwargs)  # type: ignore[call-overload]


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def apt_install(*packages: str) -> bool:
    """Install Debian packages where that is possible; False where it is not."""
    if not is_root() or shutil.which("apt-get") is None:
        return False
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    run("apt-get", "update", "-qq", **quiet)
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, **quiet)
    return True


def check_versions() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  this file runs on whatever `python3` is
        raise SystemExit(
            f"nbdiag needs Python >= 3.11 and this is {sys.version.split()[0]}; "
            "try `make PYTHON=python3.12 ...` with a newer one"
        )
    node = shutil.which("node")
    if node is None:
        return  # the build hook says what to do, if the bundles have to be built at all
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").split(".")[0]) < 20:
        raise SystemExit(f"nbdiag needs Node.js >= 20 and this is {version.strip()}")


def create_venv() -> None:
    if VENV_PYTHON.exists():
        return
    try:
        import ensurepip  # noqa: F401  Debian ships Python without it
    except ModuleNotFoundError:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        if not apt_install(package):
            raise SystemExit(
                f"this Python cannot make a venv: sudo apt install {package}"
            ) from None
        run(sys.executable, "-m", "venv", VENV)
        return
    venv.create(VENV, with_pip=True, symlinks=os.name != "nt")


def install(extra: str) -> None:
    """`pip install -e .[extra]` within constraints.txt, unless the same is installed already."""
    pins = (ROOT / "constraints.txt").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    wanted = hashlib.sha256(pins).hexdigest()
    stamps = [VENV / f".installed-{name}" for name in ("demo", "test")]
    # `test` holds all of `demo`
    good_enough = stamps if extra == "demo" else stamps[1:]
    if any(stamp.exists() and stamp.read_text() == wanted for stamp in good_enough):
        return
    print(f"installing nbdiag[{extra}] into .venv (PyTorch is large: a few minutes)", flush=True)
    pip = [VENV_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "-c", ROOT / "constraints.txt", "-e", f"{ROOT}[{extra}]")
    (VENV / f".installed-{extra}").write_text(wanted)


def find_browser() -> str | None:
    """A Chromium that is there: named by NBDIAG_CHROMIUM, on the PATH, or Playwright's own."""
    named = os.environ.get("NBDIAG_CHROMIUM")
    if named:
        if not Path(named).exists():
            raise SystemExit(f"NBDIAG_CHROMIUM names {named}, which does not exist")
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    code = (
        "from playwright.sync_api import sync_playwright as p\n"
        "with p() as play: print(play.chromium.executable_path)"
    )
    answer = subprocess.run([VENV_PYTHON, "-c", code], capture_output=True, text=True)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else None


def install_browser() -> None:
    if find_browser():
        return
    print("no Chromium found: trying Playwright's download", flush=True)
    if subprocess.run([VENV_PYTHON, "-m", "playwright", "install", "chromium"]).returncode == 0:
        return
    if apt_install("chromium") and find_browser():
        return
    raise SystemExit(
        "the browser tests need a Chromium: install one, or name it in NBDIAG_CHROMIUM"
    )


def main(extra: str) -> None:
    check_versions()
    create_venv()
    install(extra)
    from hatch_build import bundle, install_packages

    bundle(ROOT)
    if extra == "test":
        install_packages(ROOT / "js")  # where the bundles came with an sdist there is none yet
        install_browser()


if __name__ == "__main__":
    if sys.argv[1:] not in (["demo"], ["test"]):
        raise SystemExit("usage: setup.py demo|test")
    main(sys.argv[1])
