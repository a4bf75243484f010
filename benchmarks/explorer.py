"""How fast does the error explorer open and answer a click, and how much memory does it take?

    python benchmarks/explorer.py [rounds]         a million of 10 classes, 100,000 of 1,000
    python benchmarks/explorer.py --browser        clicks in a real JupyterLab, from press to paint
    python benchmarks/explorer.py --peer PYTHON    FiftyOne and explainerdashboard, by an
                                                   interpreter of an environment that has them

Beside it, on the same arrays: scikit-learn's confusion_matrix, which only counts. Each size runs in
a process of its own, so that its peak of memory is its own; times are the median of the rounds.

The peers have environments of their own. FiftyOne 1.22 installs beside numpy 2.4 and needs a
MongoDB server, which its installer fetches for some systems only; explainerdashboard 0.5 installs
beside numpy 2.3 (its SHAP holds numpy back) and runs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SIZES = ((1_000_000, 10), (100_000, 1_000))
ROOT = Path(__file__).resolve().parents[1]


def made_up(n: int, classes: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Targets, float32 probabilities and metadata of a model that is right nine times in ten."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, classes, n)
    said = np.where(rng.random(n) < 0.9, targets, rng.integers(0, classes, n))
    probabilities = rng.random((n, classes), dtype=np.float32)
    probabilities[np.arange(n), said] += classes * rng.random(n, dtype=np.float32)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    metadata = {
        "sensor": rng.choice(["phone", "scanner", "tablet"], n),
        "age": rng.normal(40, 9, n),
    }
    return targets, probabilities, metadata


def timed(what: Callable[[], Any], rounds: int) -> float:
    """Median seconds."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        what()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def peak() -> float:
    """Largest resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one_size(n: int, classes: int, rounds: int) -> None:
    """What one size costs; prints as it goes."""
    import nbdiag as nd

    targets, probabilities, metadata = made_up(n, classes)
    print(f"{n:,} predictions of {classes:,} classes ({peak():.0f} MB with the arrays)")
    told = nd.Predictions(targets=targets, probabilities=probabilities, metadata=metadata)
    nd.ErrorExplorer(nd.Predictions(targets=[0, 1], probabilities=np.eye(2)))  # imports

    def fresh() -> nd.Predictions:
        return nd.Predictions(targets=targets, probabilities=probabilities, metadata=metadata)

    def open_it() -> nd.ErrorExplorer:
        explorer = nd.ErrorExplorer(fresh())
        explorer._repr_mimebundle_()
        return explorer

    line("open and draw", timed(open_it, rounds))
    explorer = open_it()
    largest = tuple(int(i) for i in np.argwhere(np.eye(classes) == 0)[0])
    clicks = {
        "click on an error": largest,
        "click on the diagonal": (0, 0),
        "click on 'All errors'": "errors",
    }
    for name, place in clicks.items():
        line(name, timed(lambda place=place: click(explorer, place), rounds))
    ask(explorer, "page", place="errors", offset=24_000, limit=24)
    line("scroll to the middle of it", timed(lambda: scroll(explorer, n), rounds))
    line("explorer.selection (ids)", timed(lambda: selected(explorer), rounds))
    line("largest part of the widget's state, MB", size_of(explorer.get_state()) / 1e6, "")
    line("filter by metadata", timed(lambda: filtered(explorer), rounds))
    print(f"  peak of memory                            {peak():8.0f} MB")
    predicted = told.predicted
    beside(targets, predicted, rounds)


def line(name: str, value: float, unit: str = "s") -> None:
    shown = f"{1000 * value:8.0f} ms" if unit == "s" else f"{value:8.2f}"
    print(f"  {name:40}  {shown}")


def ask(explorer: Any, name: str, **args: Any) -> None:
    """A request as the browser sends it; what goes back is made and thrown away."""
    said: list[Any] = []
    explorer.handlers()[name](args, said.append)
    assert said


def click(explorer: Any, place: Any) -> None:
    """Both requests of a click."""
    ask(explorer, "select", none=True)
    ask(explorer, "select", place=place)
    ask(explorer, "page", place=place, offset=0, limit=24)


def scroll(explorer: Any, n: int) -> None:
    ask(explorer, "page", place="errors", offset=n // 40, limit=24)


def selected(explorer: Any) -> None:
    explorer._open("errors")
    assert len(explorer.selection) > 0


def filtered(explorer: Any) -> None:
    chosen = "phone" if explorer.filter.get("sensor") != ["phone"] else "scanner"
    ask(explorer, "filter", filter={"sensor": [chosen]})


def size_of(state: Any) -> int:
    """Bytes of the binary buffers in a widget's state."""
    if isinstance(state, bytes):
        return len(state)
    if isinstance(state, dict):
        return max(map(size_of, state.values()), default=0)
    return max(map(size_of, state), default=0) if isinstance(state, list | tuple) else 0


def beside(targets: np.ndarray, predicted: np.ndarray, rounds: int) -> None:
    """What counting alone takes."""
    from sklearn.metrics import confusion_matrix

    line("scikit-learn: confusion_matrix alone", timed(
        lambda: confusion_matrix(targets, predicted), rounds))  # fmt: skip


def peers(n: int, classes: int) -> None:
    """What FiftyOne and explainerdashboard take, as far as this interpreter has them."""
    targets, probabilities, _ = made_up(n, classes)
    print(f"{n:,} predictions of {classes:,} classes")
    for package, use in (("explainerdashboard", dashboard), ("fiftyone", gallery)):
        if importlib.util.find_spec(package) is None:
            print(f"  {package}: not installed")
            continue
        name = f"{package} {importlib.metadata.version(package)}"
        try:
            line(name, timed(lambda use=use: use(targets, probabilities), 1))
        except Exception as error:  # a peer that cannot start here is a result as well
            print(f"  {name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
        print(f"  peak of memory                            {peak():8.0f} MB")


def gallery(targets: np.ndarray, scores: np.ndarray) -> None:
    """Samples put into its database, evaluated, and one cell of the matrix opened."""
    import fiftyone

    said, best = scores.argmax(axis=1), scores.max(axis=1)
    dataset = fiftyone.Dataset()
    try:
        dataset.add_samples(
            (
                fiftyone.Sample(
                    filepath=f"/{i}.png",
                    true=fiftyone.Classification(label=str(targets[i])),
                    told=fiftyone.Classification(label=str(said[i]), confidence=float(best[i])),
                )
                for i in range(len(targets))
            ),
            progress=False,
            num_samples=len(targets),
        )
        results = dataset.evaluate_classifications("told", gt_field="true", eval_key="e")
        results.confusion_matrix()
        field = fiftyone.ViewField
        view = dataset.match((field("true.label") == "0") & (field("told.label") == "1"))
        assert view.limit(24).values("id")
    finally:
        dataset.delete()


def dashboard(targets: np.ndarray, scores: np.ndarray) -> None:
    """Its confusion matrix of an estimator that only looks the scores up."""
    import pandas
    from explainerdashboard import ClassifierExplainer
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Known(ClassifierMixin, BaseEstimator):
        classes_ = np.arange(scores.shape[1])

        def predict_proba(self, x: Any) -> np.ndarray:
            return scores[np.asarray(x)[:, 0].astype(int)]

        def predict(self, x: Any) -> np.ndarray:
            return self.predict_proba(x).argmax(axis=1)

    rows = pandas.DataFrame({"row": np.arange(len(targets))})
    ClassifierExplainer(Known(), rows, pandas.Series(targets)).confusion_matrix()


CELLS = """
import sys; sys.path.insert(0, {root!r})
import numpy as np, nbdiag as nd
from benchmarks.explorer import made_up
targets, probabilities, metadata = made_up({n}, {classes})
told = nd.Predictions(targets=targets, probabilities=probabilities, metadata=metadata)
nd.ErrorExplorer(nd.Predictions(targets=[0, 1], probabilities=np.eye(2))).picture()  # imports
""", "explorer = nd.ErrorExplorer(told)\nexplorer"  # fmt: skip

PAINTED = "() => document.querySelector('[data-matrix]')?.dataset.cellSize > 0"

CLICK = """async ([x, y]) => {
    const grid = document.querySelector('[data-matrix]');
    const box = grid.getBoundingClientRect();
    const began = performance.now();
    const where = {bubbles: true, detail: 1, clientX: box.left + x, clientY: box.top + y};
    grid.dispatchEvent(new PointerEvent('pointermove', where));
    grid.dispatchEvent(new MouseEvent('click', where));
    while (!document.querySelector('[data-gallery] [data-id]')) {
        await new Promise(requestAnimationFrame);
        if (performance.now() - began > 20000) return NaN;
    }
    await new Promise(requestAnimationFrame);
    return performance.now() - began;
}"""


SCROLL = """async () => {
    const box = [...document.querySelectorAll('[data-gallery] *')]
        .find(node => node.scrollHeight > node.clientHeight + 100
            && ['auto', 'scroll'].includes(getComputedStyle(node).overflowY));
    const frames = [];
    let last = await new Promise(requestAnimationFrame), cards = 0;
    for (let i = 0; i < 120; i++) {
        box.scrollTop += 60;
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - last);
        last = now;
        cards = Math.max(cards, document.querySelectorAll('[data-gallery] [data-id]').length);
    }
    return {frames, cards, down: box.scrollTop};
}"""


def in_browser() -> None:
    """From the run of the cell to the painted widget, and from a click to the painted samples."""
    import tempfile

    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    from lab import Browser, Lab, Notebook

    with Lab(Path(tempfile.mkdtemp())) as lab, Browser() as browser:
        for n, classes in SIZES:
            setup, show = CELLS
            notebook = Notebook(lab, browser, f"explorer_{n}")
            notebook.open([setup.format(root=str(ROOT), n=n, classes=classes), show])
            notebook.run(0, 300_000)
            began = time.perf_counter()
            notebook.start(1)
            notebook.page.wait_for_function(PAINTED)
            opened = time.perf_counter() - began
            print(f"{n:,} predictions of {classes:,} classes, in JupyterLab")
            line("from running the cell to the painted widget", opened)
            explorer = notebook.widget("error_explorer")  # waits until all is quiet
            marks = explorer.locator("[data-matrix]").evaluate("grid => ({...grid.dataset})")
            side = float(marks["cellSize"])
            taken = []
            for i in range(8):
                at = [float(marks["x0"]) + (i % 4 + 4.5) * side, float(marks["y0"]) + 2.5 * side]
                taken.append(notebook.page.evaluate(CLICK, at) / 1000)
                explorer.locator("[data-matrix]").press("Escape")
                explorer.locator("[data-gallery]").wait_for(state="detached")
                notebook.page.wait_for_timeout(500)
            line("from a click to the painted samples", statistics.median(taken))
            line("slowest of 8 clicks", max(taken))
            notebook.page.evaluate(
                CLICK, [float(marks["x0"]) + side / 2, float(marks["y0"]) + side / 2]
            )
            seen = notebook.page.evaluate(SCROLL)
            line("scrolling: median frame", statistics.median(seen["frames"]) / 1000)
            line("scrolling: slowest of 120 frames", max(seen["frames"]) / 1000)
            line("scrolling: samples in the page, at most", seen["cards"], "")
            notebook.close()


def main() -> None:
    if "--browser" in sys.argv:
        in_browser()
    elif "--peer" in sys.argv:
        python = sys.argv[sys.argv.index("--peer") + 1]
        for n, classes in SIZES:
            subprocess.run([python, __file__, "peers", str(n), str(classes)], check=True)
    elif sys.argv[1:2] == ["peers"]:
        peers(int(sys.argv[2]), int(sys.argv[3]))
    elif len(sys.argv) == 4:
        one_size(*map(int, sys.argv[1:]))
    else:
        rounds = sys.argv[1] if len(sys.argv) > 1 else "5"
        for n, classes in SIZES:
            subprocess.run([sys.executable, __file__, str(n), str(classes), rounds], check=True)


if __name__ == "__main__":
    main()
