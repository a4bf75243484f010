"""Hooks that are there only while they are wanted."""

from __future__ import annotations

import torch
from torch import nn

from nbdiag.probes.passing_hook import PassingHook
from nbdiag.probes.watch import watch


def test_it_keeps_its_place_and_leaves_for_good() -> None:
    told: list[str] = []
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1)
    optimizer.register_step_post_hook(lambda *_: told.append("before"))
    hook = PassingHook(optimizer.register_step_post_hook, lambda *_: told.append("ours"))
    hook.put_up()
    optimizer.register_step_post_hook(lambda *_: told.append("after"))

    def step() -> list[str]:
        told.clear()
        optimizer.step()
        return list(told)

    assert step() == ["before", "ours", "after"]
    hook.take_down()
    assert step() == ["before", "after"]
    for _ in range(2):
        hook.put_up()
        assert step() == ["before", "ours", "after"]
    hook.take_down(for_good=True)
    hook.put_up()  # a step of another thread was under way
    assert step() == ["before", "after"]
    assert not hook.up
    assert len(optimizer._optimizer_step_post_hooks) == 2


def test_steps_that_pass_by_call_one_function_only() -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    hung: list[int] = []
    with watch(model, optimizer, every=10) as run:
        for _ in range(41):
            model(torch.ones(3, 2)).sum().backward()
            optimizer.step()
            hung.append(len(optimizer._optimizer_step_post_hooks))
    assert run.recording.steps.tolist() == [1, 11, 21, 31, 41]
    # At the step before a sample, and at the sample itself.
    assert [step for step, hooks in enumerate(hung, 1) if hooks] == [
        *(1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41)
    ]
    assert not optimizer._optimizer_step_post_hooks
