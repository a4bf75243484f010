"""The architecture as a test: who may import whom, and one stem on every side."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "nbdiag"

# package -> what its files must not import anywhere
NEVER = {
    "measures": {"torch", "torchvision", "anywidget", "ipywidgets", "bokeh", "IPython"},
    "probes": {"anywidget", "ipywidgets", "bokeh", "IPython"},
    "wire": {"torch", "torchvision", "anywidget", "ipywidgets", "scipy", "sklearn"},
    "widgets": {"torch", "torchvision", "captum", "bokeh"},
    "demo": {"anywidget", "ipywidgets", "bokeh"},
    "figures": {"torch", "torchvision", "anywidget", "ipywidgets", "IPython"},
    "tracking": {"torch", "torchvision", "anywidget", "ipywidgets", "bokeh", "IPython"},
    "integrations": {"anywidget", "ipywidgets", "bokeh", "IPython"},
}
# package -> which packages of nbdiag it may import
INSIDE = {
    "measures": {"measures"},
    "probes": {"measures", "probes", "tracking"},
    "wire": {"wire"},
    "widgets": {"measures", "wire", "widgets", "sources"},
    "demo": {"demo"},
    "figures": {"measures", "figures"},
    "tracking": {"measures", "tracking"},
    "integrations": {"measures", "probes", "tracking", "integrations"},
}
FILE_LINES = 400
WIDGET_LINES = 230


def imports(source: str) -> Iterator[str]:
    """Dotted names imported anywhere in a file; `if TYPE_CHECKING` counts too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that this test can read them"
            yield str(node.module)


def violations(package: str, source: str) -> list[str]:
    """Imports in a file of `package` that break a wall."""
    broken = []
    for name in imports(source):
        parts = name.split(".")
        if parts[0] == "nbdiag":
            if (parts[1] if len(parts) > 1 else "") not in INSIDE[package]:
                broken.append(name)
        elif parts[0] in NEVER[package]:
            broken.append(name)
    return broken


def files(package: str) -> list[Path]:
    return sorted((PACKAGE / package).rglob("*.py"))


@pytest.mark.parametrize("package", NEVER)
def test_imports_point_up_the_picture(package: str) -> None:
    assert files(package), f"nbdiag/{package} is empty"
    for path in files(package):
        assert violations(package, path.read_text()) == [], f"{path.relative_to(ROOT)}"


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("measures", "import torch"),
        ("measures", "from nbdiag.probes.watch import watch"),
        ("measures", "def f():\n    from bokeh.plotting import figure"),
        ("probes", "from nbdiag.widgets import base"),
        ("probes", "import IPython.display"),
        ("wire", "import nbdiag"),
        ("wire", "import nbdiag.measures.findings"),
        ("widgets", "import torch.nn as nn"),
        ("widgets", "def f():\n    import nbdiag.probes.watch"),
        ("figures", "import anywidget"),
        ("figures", "from nbdiag.wire.canvas import Canvas"),
        ("demo", "import anywidget"),
        ("tracking", "def f():\n    import torch"),
        ("tracking", "from nbdiag.probes.watch import watch"),
        ("integrations", "from nbdiag.widgets import base"),
    ],
)
def test_the_wall_test_can_fail(package: str, line: str) -> None:
    assert violations(package, line)


def test_every_package_has_a_wall() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages == set(NEVER)


def in_fresh_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.strip()


def test_import_nbdiag_loads_nothing_heavy() -> None:
    heavy = "torch torchvision shap bokeh anywidget ipywidgets numpy scipy sklearn captum IPython"
    code = f"import sys, nbdiag; print([n for n in '{heavy}'.split() if n in sys.modules])"
    assert in_fresh_python(code) == "[]"


def test_widgets_load_no_torch() -> None:
    names = "nbdiag.GradientFlow; nbdiag.ErrorExplorer"
    code = f"import sys, nbdiag; {names}; print('torch' in sys.modules)"
    assert in_fresh_python(code) == "False"


def test_public_names_resolve() -> None:
    code = "import nbdiag; print([getattr(nbdiag, n) for n in nbdiag.__all__] and 'all')"
    assert in_fresh_python(code) == "all"


def test_unknown_name_lists_the_known_ones() -> None:
    import nbdiag

    with pytest.raises(AttributeError, match="no attribute 'Gradientflow'; it has: .*GradientFlow"):
        nbdiag.Gradientflow  # noqa: B018


def missing_sides(stem: str) -> list[str]:
    """Files and folders that a widget's stem must have and has not."""
    wanted = [
        f"nbdiag/measures/{stem}.py",
        f"nbdiag/widgets/{stem}.py",
        f"nbdiag/wire/{stem}.py",
        f"js/src/views/{stem}",
        f"tests/measures/test_{stem}.py",
        f"tests/widgets/test_{stem}.py",
        f"tests/wire/test_{stem}.py",
        f"tests/browser/test_{stem}.py",
    ]
    return [path for path in wanted if not (ROOT / path).exists()]


def stems() -> list[str]:
    shared = {
        "__init__",
        "base",
        "explorer_groups",
        "explorer_samples",
        "explorer_selection",
        "layer_view",
        "notebook",
        "run_view",
    }
    return sorted(path.stem for path in files("widgets") if path.stem not in shared)


def test_one_stem_on_every_side() -> None:
    assert stems()
    assert sorted(path.name for path in (ROOT / "js/src/views").iterdir()) == stems()
    assert {stem: missing_sides(stem) for stem in stems()} == {stem: [] for stem in stems()}


def test_the_stem_test_can_fail() -> None:
    assert len(missing_sides("no_such_diagnostic")) == 8


def test_files_have_one_subject() -> None:
    code = [*PACKAGE.rglob("*.py"), *(ROOT / "js/src").rglob("*.ts*")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in code}
    assert {path: n for path, n in lengths.items() if n > FILE_LINES} == {}
    widgets = {path: n for path, n in lengths.items() if path.startswith("nbdiag/widgets/")}
    assert {path: n for path, n in widgets.items() if n > WIDGET_LINES} == {}
