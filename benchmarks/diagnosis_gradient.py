"""How often the gradient findings are right: recall on sick trainings, alarms on healthy ones.

python benchmarks/diagnosis_gradient.py [seeds] [name of one case]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.cases_gradient import CASES
from benchmarks.trainings import Size

SIZES = (Size(16, 8), Size(32, 10), Size(64, 14))


def main(seeds: int = 3, only: str | None = None) -> None:
    torch.set_num_threads(1)
    found = sick = alarms = healthy = extra = 0
    for case in CASES:
        if only is not None and case.name != only:
            continue
        started, codes = time.perf_counter(), []
        for size in SIZES:
            for seed in range(seeds):
                torch.manual_seed(seed)
                codes.append({finding.code for finding in case.run(size).findings()})
        seconds = (time.perf_counter() - started) / len(codes)
        if case.expected:
            hits = sum(bool(case.expected & got) for got in codes)
            others = sum(bool(got - case.expected) for got in codes)
            sick, found, extra = sick + len(codes), found + hits, extra + others
            verdict = f"found {hits}/{len(codes)}, another finding in {others}"
        else:
            wrong = sum(bool(got) for got in codes)
            healthy, alarms = healthy + len(codes), alarms + wrong
            verdict = f"false alarms {wrong}/{len(codes)}"
            if wrong:
                verdict += f" {sorted(set().union(*codes))}"
        print(f"{case.name:32} {verdict:44} {seconds:.2f} s", flush=True)
    if sick:
        print(f"recall {found}/{sick} = {found / sick:.1%}, another finding in {extra}")
    if healthy:
        print(f"false alarms {alarms}/{healthy} = {alarms / healthy:.1%}")


if __name__ == "__main__":
    main(*(int(arg) if arg.isdigit() else arg for arg in sys.argv[1:]))  # type: ignore[arg-type]
