"""What does `import nbdiag` cost? Median of fresh interpreters, beside `import numpy`.

Run from the root: python benchmarks/import_time.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 7
CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def seconds(module: str) -> float:
    """Median over fresh interpreters of the time that importing a module takes."""
    command = [sys.executable, "-c", CODE.format(module)]
    times = [float(subprocess.check_output(command)) for _ in range(ROUNDS)]
    return statistics.median(times)


if __name__ == "__main__":
    own, peer = seconds("nbdiag"), seconds("numpy")
    print(f"import nbdiag {own:.3f} s, import numpy {peer:.3f} s, ratio {own / peer:.2f}")
