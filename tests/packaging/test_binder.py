"""What mybinder.org would build, told by repo2docker's own classes, without Docker."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

import pytest
import repo2docker
from repo2docker.app import Repo2Docker
from repo2docker.buildpacks import PythonBuildPack

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def buildpack(monkeypatch: pytest.MonkeyPatch) -> PythonBuildPack:
    """The first build pack that claims the repository, in the order in which Binder asks."""
    monkeypatch.chdir(ROOT)
    app = Repo2Docker()
    for kind in app.buildpacks:
        pack = kind(app.base_image)
        pack.platform = "linux/amd64"
        if pack.detect():
            return pack
    raise AssertionError("no build pack claims this repository")


def test_binder_takes_the_python_buildpack(buildpack: PythonBuildPack) -> None:
    assert type(buildpack) is PythonBuildPack
    assert buildpack.binder_dir == "binder"
    assert buildpack.python_version == "3.11"


def test_dockerfile_runs_post_build_in_the_checkout(buildpack: PythonBuildPack) -> None:
    lines = buildpack.render().splitlines()

    def where(pattern: str) -> int:
        return next(i for i, line in enumerate(lines) if re.search(pattern, line))

    tools = where(r'pip install .*-r "binder/requirements\.txt"')
    checkout = where(r"^COPY .* src/ \$\{REPO_DIR\}/$")
    assert tools < checkout < where(r"^RUN \./binder/postBuild$")


def test_image_brings_node_20_or_newer(buildpack: PythonBuildPack) -> None:
    """postBuild bundles the front end with the Node of the image."""
    lock = next(path for path in buildpack.get_build_script_files() if path.endswith(".lock"))
    text = (Path(repo2docker.__file__).parent / "buildpacks" / lock).read_text()
    version = re.search(r"/nodejs-(\d+)\.", text)
    assert version is not None
    assert int(version[1]) >= 20


def test_post_build_is_executable_and_parses() -> None:
    script = ROOT / "binder" / "postBuild"
    assert script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_post_build_takes_the_pinned_builds_without_cuda() -> None:
    script = (ROOT / "binder" / "postBuild").read_text()
    for part in ("--torch-backend=cpu", "-c constraints.txt", "-e '.[demo]'"):
        assert part in script
    pins = (ROOT / "constraints.txt").read_text()
    assert re.search(r"^torch==", pins, re.MULTILINE)
    assert re.search(r"^torchvision==", pins, re.MULTILINE)
