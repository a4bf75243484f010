"""The sampler keeps to its budget, on a clock that the test winds."""

from __future__ import annotations

import pytest

from nbdiag.measures.sampler import Sampler


def train(sampler: Sampler, steps: int, step: float, sample: float, idle: float = 0.0) -> list[int]:
    """Which steps were sampled, when a step takes `step` seconds and a sample `sample`."""
    now, sampled = 0.0, []
    for i in range(1, steps + 1):
        now += step
        wanted = sampler.next_step(now)
        cost = sample if wanted else idle
        sampler.spent(cost, sampling=wanted)
        if wanted:
            sampler.sampled()
        now += cost
        if wanted:
            sampled.append(i)
    return sampled


@pytest.mark.parametrize(
    ("step", "sample", "idle", "stride"),
    [
        # Three quarters of the budget of 3 % are aimed at: 2.25 %.
        (0.1, 0.001, 0.0, 1),  # 1 %
        (0.1, 0.006, 0.0, 3),  # 6 %
        (0.001, 0.0003, 0.0, 16),  # 30 %; hooks take 0.3 %, which leaves 0.3 ms every 15.4 steps
        # 1 % goes into standing by, 0.6 % went into the start: a quarter of 0.95 % is left.
        (0.001, 0.0003, 0.00001, 126),
        (0.001, 0.0003, 0.001, 106),  # over budget anyhow: as seldom as late faults allow
    ],
)
def test_auto_settles_on_the_stride_that_the_budget_allows(
    step: float, sample: float, idle: float, stride: int
) -> None:
    sampler = Sampler("auto", budget=0.03)
    sampled = train(sampler, 3000, step, sample, idle)
    assert sampled[:32] == list(range(1, 33))
    assert set(range(34, 64, 2)) < set(sampled)
    assert set(range(68, 128, 4)) < set(sampled)
    assert sampler.stride == pytest.approx(stride, rel=0.25)
    assert sampled[-1] - sampled[-2] == sampler.stride


def test_share_is_probe_time_over_training_time() -> None:
    sampler = Sampler(1)
    train(sampler, 1001, step=0.1, sample=0.005)
    assert sampler.share == pytest.approx(0.05, rel=0.01)
    assert sampler.seconds == pytest.approx(5.005)
    assert Sampler().share == 0.0


def test_dense_start_ends_when_it_gets_expensive() -> None:
    sampled = train(Sampler("auto"), 60, step=1.0, sample=0.3)
    assert len(sampled) < 25


def test_a_long_evaluation_between_steps_changes_nothing() -> None:
    sampler = Sampler("auto", budget=0.03)
    now = 0.0
    for i in range(2000):
        now += 60.0 if i % 100 == 0 else 0.001
        wanted = sampler.next_step(now)
        sampler.spent(0.0003 if wanted else 0.0, sampling=wanted)
        if wanted:
            sampler.sampled()
            now += 0.0003
    assert sampler.stride == pytest.approx(16, rel=0.25)


def test_what_the_start_cost_is_saved_later() -> None:
    sampler = Sampler("auto", budget=0.03)
    train(sampler, 400, step=0.001, sample=0.0005)
    assert sampler.seconds / (400 * 0.001) > 0.03
    train_on = Sampler("auto", budget=0.03)
    train(train_on, 5000, step=0.001, sample=0.0005)
    assert train_on.seconds / (5000 * 0.001) <= 0.03


def test_the_share_is_that_after_the_dense_start() -> None:
    sampler = Sampler("auto", budget=0.03)
    train(sampler, 100, step=0.001, sample=0.0005)
    assert sampler.starting
    assert sampler.share == pytest.approx(
        0.285 + 0.003, rel=0.02
    )  # 57 = 32 + 16 + 9 samples, hooks
    more = train(sampler, 4900, step=0.001, sample=0.0005)
    assert not sampler.starting
    assert sampler.share < 0.03
    late = [i for i in more if i > 28]  # the start goes to step 128
    assert sampler.share == pytest.approx(0.0005 * len(late) / 4.872 + 0.003, rel=0.1)
    assert not Sampler(7).starting


def test_what_hooks_slow_down_outside_of_probes_counts() -> None:
    """A sample of 0.3 ms makes the steps around it 0.2 ms longer besides."""
    plain, honest = Sampler("auto"), Sampler("auto")
    for sampler, hidden in ((plain, 0.0), (honest, 0.0002)):
        now = 0.0
        for _ in range(4000):
            now += 0.001
            if sampler.next_is_due:
                now += hidden
            if sampler.next_step(now):
                sampler.spent(0.0003, sampling=True)
                sampler.sampled()
                now += 0.0003
    assert honest.stride == pytest.approx(plain.stride * 5 / 3, rel=0.25)


def test_steps_pass_by_between_samples() -> None:
    sampler = Sampler(10)
    assert not sampler.pass_by(0.0)  # nobody has said until when
    by = []
    for i in range(1, 32):
        sampler.wake = 25.0
        if sampler.pass_by(float(i)):
            by.append(i)
        else:
            sampler.next_step(float(i))
    # 1, 11, 21 and 31 are sampled, the steps after them close the sample, from 25.0 on all count
    assert by == [*range(3, 11), *range(13, 21), 23, 24]
    assert sampler.step == 31


def test_most_steps_are_counted_without_a_clock() -> None:
    sampler, asked, sampled = Sampler(100), [], []
    for i in range(1, 1000):
        if sampler.step < sampler.unheard:  # as the optimizer's hook does
            sampler.step += 1
            assert sampler.calm
            continue
        asked.append(i)
        if not sampler.pass_by(0.001 * i):
            if sampler.next_step(0.001 * i):
                sampled.append(i)
            sampler.wake = float("inf")
    assert sampled == list(range(1, 1000, 100))
    assert sampler.step == 999
    assert set(sampled) <= set(asked)
    assert {i - 1 for i in sampled[1:]} <= set(asked)  # it begins when the sample's step is near
    assert len(asked) < 200
    assert [*sampler._plain] == pytest.approx([0.001] * len(sampler._plain))


@pytest.mark.parametrize("then", ["wake", "every"])
def test_who_wakes_it_is_heard_at_the_next_step(then: str) -> None:
    sampler = Sampler(100)
    sampler.next_step(0.0), sampler.next_step(0.001)
    sampler.wake = float("inf")
    assert sampler.pass_by(0.002)
    assert sampler.unheard > sampler.step
    if then == "wake":
        sampler.wake = float("-inf")
        assert not sampler.pass_by(0.003)
    else:
        sampler.sample_every(2)
    assert sampler.unheard <= sampler.step


def test_nobody_waits_longer_than_a_moment() -> None:
    sampler = Sampler(10_000)
    sampler.next_step(0.0), sampler.next_step(0.5)
    sampler.wake = float("inf")
    assert sampler.pass_by(1.0)
    assert sampler.unheard <= sampler.step  # steps of half a second are heard one by one
    sampler.pass_by(1.0)  # a clock that stands still
    assert sampler.unheard <= sampler.step


def test_no_step_passes_by_a_pause() -> None:
    sampler = Sampler(10)
    sampler.next_step(0.0)
    sampler.next_step(0.1)
    sampler.wake, sampler.paused = float("inf"), True
    assert not sampler.pass_by(0.2)
    sampler.paused = False
    assert sampler.pass_by(0.2)


def test_dense_to_the_end_where_the_budget_allows_it() -> None:
    assert train(Sampler("auto"), 300, step=1.0, sample=0.01) == list(range(1, 301))


def test_the_coming_step_is_known_to_be_due() -> None:
    sampler, due = Sampler(3), []
    for i in range(1, 8):
        due.append((i, sampler.next_is_due))
        assert sampler.next_step(0.0) == due[-1][1]
    sampler.paused = True
    sampler.step = 9
    assert not sampler.next_is_due


def test_back_to_auto_in_the_middle() -> None:
    sampler = Sampler(50)
    train(sampler, 500, step=0.001, sample=0.0003)
    sampler.sample_every("auto")
    assert sampler.stride == pytest.approx(16, rel=0.25)
