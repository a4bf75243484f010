"""python -m benchmarks.diagnosis [--seeds n] [--only name] [--split name] [--prove]"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

import torch

from benchmarks.diagnosis.cases import Case, load
from benchmarks.diagnosis.training import Size, watched

UNPROVEN = Path(__file__).with_name("unproven.json")
"""Variants whose proof fails, as `--prove` found them: they do not count."""


def key(case: Case, size: Size, seed: int) -> str:
    return f"{case.name}/{size.width}x{size.depth}/{seed}"


def prove(cases: list[Case], seeds: int) -> None:
    """Runs every proof and writes down those that fail."""
    verdicts: dict[str, list[str]] = {}
    for case in cases:
        started, bad = time.perf_counter(), 0
        for size in case.sizes:
            for seed in range(seeds):
                complaints = case.complaints(size, seed)
                verdicts[key(case, size, seed)] = complaints
                if complaints:
                    bad += 1
                    print(f"  {key(case, size, seed)}: {'; '.join(complaints)}")
        seconds = (time.perf_counter() - started) / (len(case.sizes) * seeds)
        print(
            f"{case.name:36} {bad} of {len(case.sizes) * seeds} not proven  {seconds:.2f} s",
            flush=True,
        )
    before = json.loads(UNPROVEN.read_text()) if UNPROVEN.exists() else {}
    named = {case.name for case in load()}
    failed = {
        name: complaints
        for name, complaints in {**before, **verdicts}.items()
        if complaints and name.split("/")[0] in named
    }
    UNPROVEN.write_text(json.dumps(dict(sorted(failed.items())), indent=1) + "\n")
    print(f"{len(failed)} variants on the list of those not proven")


def tally(cases: list[Case], seeds: int, every: int | str, asks: int = 0) -> None:
    """Recall by code, false alarms by code, each miss, and what was said on the way only."""
    unproven = set(json.loads(UNPROVEN.read_text())) if UNPROVEN.exists() else set()
    found: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    wrong: dict[str, list[str]] = defaultdict(list)
    healthy = alarmed = passing = dropped = 0
    sick_wrong: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        misses, started = [], time.perf_counter()
        for size in case.sizes:
            for seed in range(seeds):
                name = key(case, size, seed)
                if name in unproven:
                    dropped += 1
                    continue
                heard: dict[int, set[str]] = {}
                run = watched(case.training(size, seed), every, asks=asks, heard=heard)
                codes = _trained({finding.code for finding in run.findings()})
                for code in codes - case.allowed:
                    (wrong if case.healthy else sick_wrong)[code].append(name)
                if case.healthy:
                    healthy, alarmed = healthy + 1, alarmed + bool(codes)
                    misses += [f"{name}: {sorted(codes)}"] if codes else []
                    early = {s: said for s in heard if (said := _trained(heard[s]))}
                    passing += bool(early and not codes)
                    misses += [f"{name}: at step {s} {sorted(early[s])}" for s in early]
                    continue
                (code,) = case.expected
                asked[code] += 1
                found[code] += code in codes
                others = codes - case.allowed
                if code not in codes:
                    misses.append(f"{name}: {code} missed, found {sorted(codes) or 'nothing'}")
                elif others:
                    misses.append(f"{name}: also {sorted(others)}")
        seconds = (time.perf_counter() - started) / (len(case.sizes) * seeds)
        mark = "ok" if not misses else "MISS"
        print(f"{case.split:8} {case.name:36} {mark:5} {seconds:.2f} s", flush=True)
        for miss in misses:
            print(f"    {miss}", flush=True)
    print("\ncode                       recall        false alarms   wrong beside another fault")
    for code in sorted({*asked, *wrong, *sick_wrong}):
        recall = f"{found[code]}/{asked[code]}" if asked[code] else "-"
        print(f"{code:26} {recall:13} {len(wrong[code]):<14} {len(sick_wrong[code])}")
    total = sum(asked.values())
    if total:
        print(f"recall {sum(found.values())}/{total} = {sum(found.values()) / total:.1%}")
    if healthy:
        print(f"healthy with a finding {alarmed}/{healthy} = {alarmed / healthy:.1%}")
        if asks:
            print(f"healthy with one on the way only {passing}/{healthy} = {passing / healthy:.1%}")
    print(f"{dropped} variants left out, because their proof fails")


def _trained(codes: set[str]) -> set[str]:
    """Without those of the data, which have a benchmark of their own."""
    return {code for code in codes if not code.startswith("data.")}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.diagnosis")
    parser.add_argument("--seeds", type=int, default=2, help="--prove as many before")
    parser.add_argument("--only", help="cases whose name contains this")
    splits = ("dev", "held_out", *"fresh outside beyond wider last final blind".split(), "all")
    parser.add_argument("--split", choices=splits, default="dev")
    parser.add_argument("--every", default="1", help="sampling, a number or auto")
    parser.add_argument("--ask", type=int, default=0, help="ask so many times on the way, too")
    parser.add_argument("--prove", action="store_true", help="run the proofs, not the rules")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cases = [case for case in load() if args.split in (case.split, "all")]
    cases = [case for case in cases if args.only is None or args.only in case.name]
    if args.prove:
        prove(cases, args.seeds)
    else:
        every = int(args.every) if args.every.isdigit() else args.every
        tally(cases, args.seeds, every, args.ask)


if __name__ == "__main__":
    main()
