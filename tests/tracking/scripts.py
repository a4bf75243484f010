"""Trainings in a process of their own, which the tests kill, starve or leave to themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HEAD = """
import os, sys, time
import torch
from torch import nn
import nbdiag as nd

torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
run = nd.watch(model, optimizer, every=1, log_dir=sys.argv[1])

def step():
    optimizer.zero_grad()
    loss = model(torch.randn(16, 4)).square().mean()
    loss.backward()
    optimizer.step()
    run.log(loss=loss)
    print(run.step, repr(loss.item()), time.time(), flush=True)
"""


def start(body: str, folder: Path) -> subprocess.Popen[str]:
    """`HEAD` and `body` with `folder` as its argument."""
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + body, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def finish(body: str, folder: Path) -> tuple[list[str], str, int]:
    """Its lines, what it said on the error stream, and how it ended."""
    process = start(body, folder)
    out, err = process.communicate(timeout=120)
    return out.splitlines(), err, process.returncode
