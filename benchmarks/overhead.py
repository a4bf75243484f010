"""What watching costs: the time of a training over that of the bare loop.

python benchmarks/overhead.py

Variants take turns in short blocks and the medians are compared, so that a busy machine slows all
of them alike. "item" is what most tutorials do: one `.norm().item()` a parameter, every step.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))

from nbdiag.measures.run import Run
from nbdiag.probes.watch import watch

VARIANTS = ("bare", "every step", "auto", "item")


def mlp() -> tuple[nn.Module, Tensor]:
    layers = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*layers), torch.randn(64, 64)


def resnet18() -> tuple[nn.Module, Tensor]:
    from torchvision.models import resnet18

    return resnet18(num_classes=10), torch.randn(32, 3, 64, 64)


class Training:
    """One variant, trained a block at a time."""

    def __init__(self, make: Callable[[], tuple[nn.Module, Tensor]], variant: str) -> None:
        torch.manual_seed(0)
        self.model, self.x = make()
        self.y = torch.randint(0, 10, (len(self.x),))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        self.variant = variant
        self.norms: dict[str, list[float]] = {}
        self.run: Run | None = None
        if variant in ("every step", "auto"):
            self.run = watch(self.model, self.optimizer, every="auto" if variant == "auto" else 1)
            self.run.subscribe(lambda run: run.recording.rows(len(run.recording) - 20))

    def block(self, steps: int) -> float:
        """Seconds a step."""
        started = time.perf_counter()
        for _ in range(steps):
            self.optimizer.zero_grad()
            F.cross_entropy(self.model(self.x), self.y).backward()
            if self.variant == "item":
                for name, parameter in self.model.named_parameters():
                    assert parameter.grad is not None
                    self.norms.setdefault(name, []).append(parameter.grad.norm().item())
            self.optimizer.step()
        return (time.perf_counter() - started) / steps


def main() -> None:
    torch.set_num_threads(1)
    for make, warm_up, blocks, steps in ((mlp, 300, 40, 100), (resnet18, 3, 12, 2)):
        trainings = [Training(make, variant) for variant in VARIANTS]
        for training in trainings:
            training.block(warm_up)
        seconds = [[training.block(steps) for training in trainings] for _ in range(blocks)]
        bare = [row[0] for row in seconds]
        print(f"{make.__name__}: {1000 * median(bare):.2f} ms a step")
        for i, training in enumerate(trainings):
            ratio = median(row[i] / row[0] for row in seconds)
            run = training.run
            text = f", sampled {len(run.recording)} of {run.step} steps" if run else ""
            print(f"  {training.variant:12} x{ratio:.3f}{text}", flush=True)
            if run is not None:
                run.close()


if __name__ == "__main__":
    main()
