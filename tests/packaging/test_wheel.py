"""The wheel and the sdist hold what they need, and a machine without Node hears one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUNDLES = [
    f"{stem}.{kind}" for stem in ("error_explorer", "gradient_flow") for kind in ("css", "js")
]
LIMIT = 100_000  # bytes a bundle


def build(
    source: Path, out: Path, *what: str, **kwargs: object
) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        *what,
        "--outdir",
        str(out),
        str(source),
    ]
    return subprocess.run(command, capture_output=True, text=True, **kwargs)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, and the wheel built from that sdist, as `python -m build` does by default."""
    out = tmp_path_factory.mktemp("dist")
    done = build(ROOT, out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_wheel_holds_code_and_bundles(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        sizes = {info.filename: info.file_size for info in wheel.infolist()}
    for name in BUNDLES:
        assert 0 < sizes[f"nbdiag/static/{name}"] <= LIMIT
    assert "nbdiag/py.typed" in sizes
    roots = {name.split("/")[0] for name in sizes}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"nbdiag"}
    assert not [name for name in sizes if "__pycache__" in name or name.endswith(".map")]


def test_sdist_holds_sources_bundles_and_tests(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    wanted = [
        "js/package.json",
        "js/package-lock.json",
        "js/build.mjs",
        "hatch_build.py",
        "README.md",
    ]
    wanted += ["tests/test_walls.py", "notebooks/debug_session.ipynb", "LICENSE", "constraints.txt"]
    assert [name for name in wanted if name not in names] == []
    assert [name for name in BUNDLES if f"nbdiag/static/{name}" not in names] == []
    assert [name for name in names if "node_modules" in name] == []


def test_bundles_are_self_contained(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        for name in BUNDLES:
            text = wheel.read(f"nbdiag/static/{name}").decode()
            for fetch in ("https://", "import(", "importScripts", "@import", "url(http"):
                assert fetch not in text, f"{name} holds {fetch!r}"


def checkout(to: Path) -> Path:
    """The tracked files alone, as a fresh clone has them."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    for name in filter(None, tracked):
        if (ROOT / name).exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, to / name)
    return to


def test_no_node_gives_one_clear_sentence(tmp_path: Path) -> None:
    source = checkout(tmp_path / "clone")
    bare = tmp_path / "bin"
    bare.mkdir()
    done = build(source, tmp_path / "out", "--wheel", env={**os.environ, "PATH": str(bare)})
    assert done.returncode != 0
    assert "nbdiag builds its widgets from js/ and needs Node.js >= 20" in done.stdout + done.stderr


def test_sdist_installs_without_node(built: Path, tmp_path: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        sdist.extractall(tmp_path, filter="data")
    source = next(path for path in tmp_path.iterdir() if path.is_dir())
    bare = tmp_path / "bin"
    bare.mkdir()
    done = build(source, tmp_path / "out", "--wheel", env={**os.environ, "PATH": str(bare)})
    assert done.returncode == 0, done.stdout + done.stderr
