"""`make demo` and `make test` on a bare machine: what can be told without one."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import demo
import setup


@pytest.mark.parametrize(
    ("variables", "root", "flags"),
    [
        ({"DISPLAY": ":0"}, False, []),
        ({"WAYLAND_DISPLAY": "wayland-0"}, False, []),
        ({}, False, ["--no-browser"]),
        ({}, True, ["--no-browser", "--allow-root"]),
    ],
)
def test_demo_opens_a_browser_only_where_there_is_a_display(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], root: bool, flags: list[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(demo, "is_root", lambda: root)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    command = demo.command()
    assert command[1:4] == [
        "--ip=127.0.0.1",
        f"--ServerApp.root_dir={ROOT}",
        "--LabApp.default_url=/lab/tree/notebooks/debug_session.ipynb",
    ]
    assert command[4:] == flags


def test_demo_opens_a_notebook_that_exists() -> None:
    assert demo.TUTORIAL.exists()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What setup would run."""
    calls: list[list[str]] = []
    monkeypatch.setattr(setup, "run", lambda *c, **k: calls.append([str(part) for part in c]))
    return calls


def test_second_install_does_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commands: list[list[str]]
) -> None:
    monkeypatch.setattr(setup, "VENV", tmp_path)
    setup.install("demo")
    setup.install("demo")
    assert len(commands) == 1
    assert f"{ROOT}[demo]" in commands[0]
    assert str(ROOT / "constraints.txt") in commands[0]
    setup.install("test")  # holds more than demo
    setup.install("test")
    setup.install("demo")  # and all of it
    assert len(commands) == 2


def test_changed_pins_install_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, commands: list[list[str]]
) -> None:
    monkeypatch.setattr(setup, "VENV", tmp_path)
    (tmp_path / ".installed-demo").write_text("what was pinned last year")
    setup.install("demo")
    assert len(commands) == 1


def test_named_browser_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBDIAG_CHROMIUM", "/no/such/browser")
    with pytest.raises(SystemExit, match="/no/such/browser, which does not exist"):
        setup.find_browser()


def test_no_way_to_a_browser_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="")
    monkeypatch.delenv("NBDIAG_CHROMIUM", raising=False)
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    monkeypatch.setattr(setup.subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(SystemExit, match="need a Chromium: install one"):
        setup.install_browser()


def test_old_node_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    old = subprocess.CompletedProcess([], 0, stdout="v18.19.0\n", stderr="")
    monkeypatch.setattr(setup.shutil, "which", lambda name: "node")
    monkeypatch.setattr(setup.subprocess, "run", lambda *a, **k: old)
    with pytest.raises(SystemExit, match="needs Node.js >= 20 and this is v18.19.0"):
        setup.check_versions()


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in [*project["dependencies"], *extras]]


def test_every_dependency_has_a_lower_bound_and_a_pin() -> None:
    pins = {
        line.split("==")[0]: line.split("==")[1].strip()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    for requirement in requirements():
        if requirement.name == "nbdiag":
            continue
        assert [part.operator for part in requirement.specifier] == [">="], str(requirement)
        assert requirement.specifier.contains(pins[requirement.name.lower()]), str(requirement)


def test_core_is_small() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {Requirement(line).name for line in project["dependencies"]}
    widgets = {"anywidget", "ipywidgets", "pillow"}
    assert names == {*widgets, "bokeh", "numpy", "pandas", "scikit-learn", "scipy"}
