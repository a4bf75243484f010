"""How often nd.inspect_data is right: recall on unsound data sets, false alarms on sound ones.

python benchmarks/data_checks.py [seeds] [name of one case, or "all"] [first seed]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

import nbdiag as nd
from benchmarks.cases_data import load


def main(seeds: int = 5, only: str | None = None, first: int = 0) -> None:
    torch.set_num_threads(1)
    found = sick = alarms = healthy = extra = 0
    for case in load():
        if only not in (None, "all", case.name):
            continue
        started, runs = time.perf_counter(), []
        for seed in range(first, first + seeds):
            torch.manual_seed(seed)
            data = case.make(np.random.default_rng(seed))
            runs.append(nd.inspect_data(*data, progress=False))
        seconds = (time.perf_counter() - started) / seeds
        codes = [{finding.code for finding in findings} for findings in runs]
        if case.expected:
            hits = sum(case.expected in got for got in codes)
            others = sum(bool(got - {case.expected} - case.also) for got in codes)
            sick, found, extra = sick + seeds, found + hits, extra + others
            verdict = f"found {hits}/{seeds}" + (f", another in {others}" if others else "")
            show = hits < seeds or others
        else:
            wrong = sum(map(bool, codes))
            healthy, alarms = healthy + seeds, alarms + wrong
            verdict, show = f"false alarms {wrong}/{seeds}", wrong > 0
        print(f"{case.name:42} {verdict:28} {seconds:.2f} s", flush=True)
        if show or only == case.name:
            for message in sorted({f"{f.code}: {f.message}" for run in runs for f in run})[:5]:
                print(f"    {message}")
    if sick:
        print(f"recall {found}/{sick} = {found / sick:.1%}, another finding in {extra}")
    if healthy:
        print(f"false alarms {alarms}/{healthy} = {alarms / healthy:.1%}")
    if only in (None, "all"):
        many_pictures()


def many_pictures(n: int = 60_000, held: int = 10_000) -> None:
    """Time for pictures of MNIST's shape."""
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.random((n + held, 1, 28, 28), dtype=np.float32))
    y = torch.from_numpy(rng.integers(0, 10, n + held))
    train = torch.utils.data.TensorDataset(x[:n], y[:n])
    test = torch.utils.data.TensorDataset(x[n:], y[n:])
    started = time.perf_counter()
    for dataset in (train, test):
        for i in range(len(dataset)):
            dataset[i]
    reading = time.perf_counter() - started
    started = time.perf_counter()
    findings = nd.inspect_data(train, test=test, progress=False)
    seconds = time.perf_counter() - started
    print(f"{n:,} + {held:,} pictures 1x28x28: {seconds:.1f} s ({reading:.1f} s of it reading)")
    print(f"    {findings or 'no findings'}")


if __name__ == "__main__":
    main(*(int(arg) if arg.isdigit() else arg for arg in sys.argv[1:]))  # type: ignore[arg-type]
