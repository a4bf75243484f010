"""What can be seen of a training by hand, with plain torch and nothing of nbdiag."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.diagnosis.training import Training, evaluate, train

BOUNDS: dict[type[nn.Module], tuple[float, float]] = {
    nn.Tanh: (-1.0, 1.0),
    nn.Sigmoid: (0.0, 1.0),
    nn.Hardtanh: (-1.0, 1.0),
    nn.Hardsigmoid: (0.0, 1.0),
    nn.Softsign: (-1.0, 1.0),
}
RECTIFIERS = (nn.ReLU, nn.ReLU6)
LOOKS = 24


class Witness:
    """Trains, and notes what happened.

    `levels`: the loss of the whole data set in eval mode, at some 24 `at` steps, the first before
    any training. `norms` (looks, P): of the weights then; `gradients`: of the gradient of that
    loss. `changes` (T, P): the norm of each step's change over the norm of the weights.
    """

    def __init__(self, training: Training) -> None:
        self.training = t = training
        self.named = [(n, p) for n, p in t.model.named_parameters() if p.requires_grad]
        self.names = [n for n, _ in self.named]
        self.losses: list[float] = []
        self.at: list[int] = []
        self.levels: list[float] = []
        self._norms: list[list[float]] = []
        self._gradients: list[list[float]] = []
        self._changes: list[list[float]] = []
        self.validation: list[float] = []
        self.fitted: list[float] = []
        self.got_gradient: set[str] = set()
        self.bad_gradient = 0
        self._every = max(1, t.steps // LOOKS)
        self.before = self._copy()
        self._last = self._copy()
        self._look(0)
        train(t, self)
        self.after = self._copy()
        self.norms, self.gradients = torch.tensor(self._norms), torch.tensor(self._gradients)
        self.changes = torch.tensor(self._changes)

    def _copy(self) -> list[Tensor]:
        return [p.detach().clone().double() for _, p in self.named]

    # While it trains -----------------------------------------------------------------------------

    def before_step(self, step: int) -> None:
        for name, parameter in self.named:
            if parameter.grad is not None:
                self.got_gradient.add(name)
                grad = parameter.grad
                grad = grad.coalesce().values() if grad.is_sparse else grad
                if not torch.isfinite(grad).all() and not self.bad_gradient:
                    self.bad_gradient = step

    def after_step(self, step: int, loss: Tensor) -> None:
        self.losses.append(float(loss.detach()))
        now = self._copy()
        self._changes.append(
            [
                float((a - b).norm() / b.norm()) if float(b.norm()) > 0 else math.nan
                for a, b in zip(now, self._last, strict=True)
            ]
        )
        self._last = now
        if step % self._every == 0 or step == self.training.steps:
            self._look(step)

    def validated(self, step: int, train: float, validation: Tensor) -> None:
        self.validation.append(float(validation))
        self.fitted.append(self._level())

    def _level(self) -> float:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return float(evaluate(self.training, self.training.data.whole))

    def _look(self, step: int) -> None:
        self.at.append(step)
        self.levels.append(self._level())
        self._norms.append([float(p.detach().double().norm()) for _, p in self.named])
        self._gradients.append(self._gradient())

    def _gradient(self) -> list[float]:
        t = self.training
        flags = [(module, module.training) for module in t.model.modules()]
        t.model.eval()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            loss = (t.whole or t.objective)(t.model, t.data.whole)
        for module, flag in flags:
            module.training = flag
        if not loss.requires_grad:
            return [math.nan] * len(self.named)
        parameters = [p for _, p in self.named]
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        return [
            math.nan if g is None else float((g.to_dense() if g.is_sparse else g).double().norm())
            for g in grads
        ]

    # Afterwards ----------------------------------------------------------------------------------

    @property
    def start(self) -> float:
        return self.levels[0]

    @property
    def end(self) -> float:
        """Mean over the last fifth of the looks."""
        last = self.levels[-max(1, len(self.levels) // 5) :]
        return sum(last) / len(last)

    @property
    def lowest(self) -> float:
        return min(level for level in self.levels if math.isfinite(level))

    def moved(self) -> list[float]:
        """Relative distance of each parameter from where it began."""
        pairs = zip(self.before, self.after, strict=True)
        return [float((b - a).norm() / a.norm().clamp_min(1e-12)) for a, b in pairs]

    def matrices(self) -> list[int]:
        """Indices of the weight matrices, in the order of the model."""
        return [i for i, p in enumerate(self.before) if p.ndim >= 2]

    def outputs(self, kinds: tuple[type[nn.Module], ...]) -> dict[str, tuple[nn.Module, Tensor]]:
        """Outputs (samples, units) of modules of these kinds on the whole data set, eval mode."""
        seen: dict[str, tuple[nn.Module, list[Tensor]]] = {}

        def hook(name: str) -> Callable[[nn.Module, object, Tensor], None]:
            def keep(module: nn.Module, args: object, out: Tensor) -> None:
                units = out.transpose(1, -1) if out.ndim == 4 else out
                flat = units.detach().reshape(-1, units.shape[-1]).float()
                seen.setdefault(name, (module, []))[1].append(flat.clone())

            return keep

        modules = [(n, m) for n, m in self.training.model.named_modules() if type(m) in kinds]
        handles = [m.register_forward_hook(hook(n)) for n, m in modules]
        self._level()
        for handle in handles:
            handle.remove()
        return {name: (module, torch.cat(parts)) for name, (module, parts) in seen.items()}

    def dead(self) -> dict[str, float]:
        """Share of units of each rectifier that are zero for every sample."""
        found = self.outputs(RECTIFIERS)
        return {n: float((out == 0).all(0).float().mean()) for n, (_, out) in found.items()}

    def saturated(self, margin: float = 0.02) -> dict[str, float]:
        """Share of outputs of each bounded activation within `margin` of the range of an end."""
        shares = {}
        for name, (module, out) in self.outputs(tuple(BOUNDS)).items():
            low, high = BOUNDS[type(module)]
            place = (out - low) / (high - low)
            shares[name] = float(((place < margin) | (place > 1 - margin)).float().mean())
        return shares
