"""What watching costs: the time of a training over that of the bare loop.

python benchmarks/overhead.py [mlp | resnet18 | transformer | memory] [name of a variant, ...] [cpu]

Variants take turns in short blocks, each in a process of its own, and the medians of their ratios
are compared, so that a busy machine slows all of them alike. Beside nbdiag stand what wandb.watch
does (offline), what tutorials write for TensorBoard (a scalar and two histograms a parameter), and
naive `.item()` statistics.
Peers that are not installed are left out, in words.
With `cpu`, seconds of the processor are counted instead of those on the clock: on a machine that is
busy with something else, the only ones that mean anything.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))

from nbdiag.measures.recording import Recording
from nbdiag.measures.run import Run
from nbdiag.probes.watch import watch

CPU_SECONDS = "NBDIAG_BENCH_CPU_SECONDS"  # in the environment, since it holds in each process
CONTEXT = multiprocessing.get_context("spawn")
Made = tuple[nn.Module, Tensor, int]
After = Callable[[int], None]


def mlp() -> Made:
    layers = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*layers), torch.randn(64, 64), 10


def resnet18() -> Made:
    from torchvision.models import resnet18

    return resnet18(num_classes=10), torch.randn(32, 3, 64, 64), 10


def transformer() -> Made:
    layer = nn.TransformerEncoderLayer(256, 8, 1024, batch_first=True, norm_first=True)
    body = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
    pooled = nn.Sequential(body, nn.Flatten(), nn.Linear(64 * 256, 10))
    return pooled, torch.randn(16, 64, 256), 10


class Training:
    """One variant, trained a block at a time."""

    def __init__(self, make: Callable[[], Made], variant: str) -> None:
        torch.manual_seed(0)
        self.model, self.x, classes = make()
        self.y = torch.randint(0, classes, (len(self.x),))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        self.run: Run | None = None
        self.step = 0
        self.ended = time.perf_counter()
        self.after: After = VARIANTS[variant](self)

    def block(self, steps: int) -> float:
        """Seconds a step."""
        clock = time.process_time if CPU_SECONDS in os.environ else time.perf_counter
        self.forget_the_wait()
        started = clock()
        for _ in range(steps):
            self.step += 1
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.model(self.x), self.y)
            loss.backward()
            self.loss = loss
            self.after(self.step)
            self.optimizer.step()
        seconds = clock() - started
        self.ended = time.perf_counter()
        return seconds / steps

    def forget_the_wait(self) -> None:
        """The turns of the others are no training time, of which nbdiag takes its share."""
        if self.run is None or self.run.sampler._first is None:
            return
        sampler, wait = self.run.sampler, time.perf_counter() - self.ended
        sampler._first, sampler.last = sampler._first + wait, sampler.last + wait
        if sampler._start is not None:
            sampler._start = sampler._start[0] + wait, sampler._start[1]
        self.run._listeners.due_at += wait


def bare(training: Training) -> After:
    return lambda step: None


def nbdiag(every: Any, *, read: bool = False) -> Callable[[Training], After]:
    """`read`: as a widget on the screen does, twelve times a second."""

    def attach(training: Training) -> After:
        training.run = run = watch(training.model, training.optimizer, every=every)
        if read:
            run.subscribe(lambda r: r.recording.rows(len(r.recording) - 20))
        return lambda step: run.log(loss=training.loss)

    return attach


def item(training: Training) -> After:
    kept: dict[str, list[float]] = {}

    def after(step: int) -> None:
        for name, parameter in training.model.named_parameters():
            assert parameter.grad is not None
            for key, tensor in (("gradient", parameter.grad), ("weight", parameter)):
                numbers = [tensor.norm(), tensor.mean(), tensor.std()]
                kept.setdefault(f"{key} {name}", []).extend(n.item() for n in numbers)

    return after


def tensorboard(training: Training) -> After:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(tempfile.mkdtemp())

    def after(step: int) -> None:
        writer.add_scalar("loss", training.loss.item(), step)
        for name, parameter in training.model.named_parameters():
            assert parameter.grad is not None
            writer.add_scalar(f"gradient/{name}", parameter.grad.norm().item(), step)
            writer.add_histogram(f"weights/{name}", parameter, step)
            writer.add_histogram(f"gradients/{name}", parameter.grad, step)

    return after


def wandb_watch(every: int) -> Callable[[Training], After]:
    def attach(training: Training) -> After:
        os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true")
        import wandb

        folder = tempfile.mkdtemp()
        run = wandb.init(project="overhead", dir=folder)
        run.watch(training.model, log="all", log_freq=every)
        return lambda step: run.log({"loss": training.loss.item()})

    return attach


AUTO, READ, TURN = "nbdiag auto", "nbdiag auto, read", 10
VARIANTS: dict[str, Callable[[Training], After]] = {
    "bare": bare,
    "nbdiag every step": nbdiag(1),
    AUTO: nbdiag("auto"),
    READ: nbdiag("auto", read=True),
    "wandb.watch all, 1": wandb_watch(1),
    "wandb.watch all, 100": wandb_watch(100),
    "TensorBoard": tensorboard,
    ".item()": item,
}


def trainer(pipe: Any, size: str, variant: str) -> None:
    """A process of its own: hooks and threads of one variant do not slow the others."""
    torch.set_num_threads(1)
    try:
        training = Training(SIZES[size][0], variant)
    except ImportError as error:
        pipe.send(str(error))
        return
    pipe.send("")
    while steps := pipe.recv():
        pipe.send(training.block(steps))
    run, text = training.run, ""
    if run is not None:
        text = f", sampled {len(run.recording)} of {run.step}, own count {run.probe_share:.1%}"
        text += "".join(f", FAILED {failure}" for failure in run.failures)
        run.close()
    pipe.send(text)
    pipe.close()
    os._exit(0)  # wandb would wait for its service


class Turns:
    """The variants of one size, each in its process; one trains at a time."""

    def __init__(self, size: str, variants: Iterable[str]) -> None:
        self.pipes: dict[str, Any] = {}
        for variant in variants:
            self.pipes[variant], end = CONTEXT.Pipe()
            CONTEXT.Process(target=trainer, args=(end, size, variant), daemon=True).start()
            if missing := self.pipes[variant].recv():
                print(f"  {variant} left out: {missing}")
                del self.pipes[variant]

    def block(self, variant: str, steps: int) -> Any:
        """Seconds a step; after 0 steps, what the variant has to say at its end."""
        self.pipes[variant].send(steps)
        return self.pipes[variant].recv()


def compare(size: str) -> None:
    _, warm_up, blocks, steps, length, _ = SIZES[size]
    turns = Turns(size, [v for v in VARIANTS if not (length and v in (AUTO, READ))])
    pipes, block = turns.pipes, turns.block

    first = {v: block(v, warm_up) for v in pipes}
    seconds = [{v: block(v, steps) for v in pipes} for _ in range(blocks)]
    print(f"{size}: {1000 * median(row['bare'] for row in seconds):.2f} ms a step")
    for variant in pipes:
        ratio = median(row[variant] / row["bare"] for row in seconds)
        # A sample that comes once in many blocks is in the mean and not in the median; the first
        # block holds the dense start.
        total, whole = (
            sum(row[variant] * n for row, n in rows) / sum(row["bare"] * n for row, n in rows)
            for rows in (
                [(row, steps) for row in seconds],
                [(first, warm_up), *((row, steps) for row in seconds)],
            )
        )
        text = block(variant, 0)
        print(
            f"  {variant:22} x{ratio:.3f} (mean x{total:.3f}, with the start x{whole:.3f}){text}",
            flush=True,
        )
    for variant in (AUTO, READ):
        if length and variant in VARIANTS:
            whole_run(size, variant, length, pairs=5 if size == "mlp" else 3)


def whole_run(size: str, variant: str, length: int, pairs: int) -> None:
    """A run from its start: "auto" looks at the first steps closely and saves that afterwards.

    Where memory lies makes one process up to two percent faster than its like: so several pairs.
    """
    turn, rows, texts = SIZES[size][-1], [], []
    for _ in range(pairs):
        turns = Turns(size, ["bare", variant])
        turns.block("bare", turn)  # so that neither is the first to touch its memory
        rows.append(
            [[turns.block(v, turn) for v in ("bare", variant)] for _ in range(length // turn)]
        )
        turns.block("bare", 0)
        texts.append(turns.block(variant, 0))
    bare, auto = np.array(rows).transpose(2, 0, 1)
    half = bare.shape[1] // 2
    later = auto[:, half:].sum() / bare[:, half:].sum()
    whole = auto.sum() / bare.sum()
    text = f"x{later:.3f} in the second half of {length:,} steps, x{whole:.3f} over all of them"
    if pairs > 1:
        each = ", ".join(f"x{ratio:.3f}" for ratio in auto.sum(1) / bare.sum(1))
        text += f" (by pair of processes: {each})"
    if length < 1000:
        text += f", so x{(whole * length + later * (1000 - length)) / 1000:.3f} over 1,000"
    print(f"  {variant:22} {text}{texts[0]}", flush=True)


def memory(steps: int = 100_000) -> None:
    """What a recording of so many steps of ResNet-18 holds, all of them sampled."""
    model, x, _ = resnet18()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watch(model, optimizer, every=1) as run:
        model(x[:4]).sum().backward()
        optimizer.step()
    first = run.recording
    tracks = first.activations.tracks
    rng = np.random.default_rng(0)
    width = len(first.parameters)
    tracemalloc.start()
    recording = Recording(first.parameters, first.layers, first.layer_of, first.sizes)
    for track in tracks:
        recording.activations.open(track.info)
    due = 1
    for step in range(1, steps + 1):
        numbers = rng.random((6, width), np.float32)
        recording.append(
            step, numbers[0], numbers[1], np.zeros(width, np.uint8), update_norm=numbers[2],
            grad_norm_raw=numbers[3], grad_zeros=numbers[4], grad_nonfinite=numbers[5],
        )  # fmt: skip
        recording.scalar_log.put("loss", step, float(numbers[0, 0]))
        for track in tracks:
            active = np.ones(track.units, np.float32)
            recording.activations[tracks.index(track)].add(
                step, 32, 32, (0.0, 1.0, 0.5, 0.0), active, None
            )
        if step >= due:
            due = int(due * 1.12) + 1
            for kind in ("weight", "gradient"):
                rows = {k: np.zeros(width) for k in ("low", "high", "nan", "infinite")}
                counts = np.ones((width, 40))
                recording.histograms.add(kind, {"step": step, "counts": counts, **rows})
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(
        f"memory: {steps:,} steps of ResNet-18 take {held / 2**20:.0f} MiB (peak "
        f"{peak / 2**20:.0f}), {len(recording):,} rows kept, thinned {recording.thinned} times"
    )


# Maker, steps to warm up, blocks, steps a block; and for "auto" the steps of a run from its start,
# and how many of them are a turn.
SIZES: dict[str, tuple[Callable[[], Made], int, int, int, int, int]] = {
    "mlp": (mlp, 500, 40, 100, 30_000, 500),
    "resnet18": (resnet18, 2, 32, 1, 240, TURN),
    "transformer": (transformer, 2, 32, 1, 240, TURN),
}


def main(*names: str) -> None:
    torch.set_num_threads(1)
    if "cpu" in names:
        os.environ[CPU_SECONDS] = "1"
        names = tuple(name for name in names if name != "cpu")
    for variant in {*VARIANTS} - {*names, "bare"} if {*VARIANTS} & {*names} else ():
        del VARIANTS[variant]
    names = tuple(name for name in names if name not in VARIANTS)
    for name in names or SIZES:
        if name != "memory":
            compare(name)
    if not names or "memory" in names:
        memory()


if __name__ == "__main__":
    main(*sys.argv[1:])
