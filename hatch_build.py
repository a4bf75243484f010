"""Build hook: bundles js/ into nbdiag/static/ before a wheel, an sdist or an editable install."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # tools/setup.py calls bundle() from a bare Python
    BuildHookInterface = object

NO_NODE = (
    "nbdiag builds its widgets from js/ and needs Node.js >= 20 with npm for that: install Node.js "
    "(nodejs.org, or your package manager) and run the command again; a released wheel needs none."
)


def fingerprint(js: Path) -> str:
    """Hash of everything that the bundles are made from."""
    digest = hashlib.sha256()
    names = ["package.json", "package-lock.json", "build.mjs", "tsconfig.json"]
    paths = [js / name for name in names] + sorted((js / "src").rglob("*"))
    for path in paths:
        if path.is_file():
            digest.update(path.relative_to(js).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def bundle(root: Path) -> bool:
    """Bring nbdiag/static up to date; False when it already was.

    An sdist carries the bundles beside their sources, so installing from one needs no Node.
    """
    js, stamp = root / "js", root / "nbdiag" / "static" / "sources.sha256"
    wanted = fingerprint(js)
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise SystemExit(NO_NODE)
    install_packages(js)
    subprocess.run([npm, "run", "build", "--silent"], cwd=js, check=True)
    stamp.write_text(wanted)
    return True


def install_packages(js: Path) -> None:
    """Bring js/node_modules to what the lock file says, unless it is there already."""
    wanted = (js / "package-lock.json").read_text()
    stamp = js / "node_modules" / ".installed-lock"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    npm = shutil.which("npm") or "npm"
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=js, check=True)
    stamp.write_text(wanted)


class BundleHook(BuildHookInterface):
    """Runs `bundle` for every target, so that no wheel can miss its widgets."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        bundle(Path(self.root))
