"""The smooth control: leave-one-out in closed form, and what it learns."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF
from sklearn.kernel_ridge import KernelRidge

from nbdiag.measures.smooth_control import MOST, SmoothControl


def blobs(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    return generator.normal(size=(n, 2)) + 3 * labels[:, None], labels


def test_it_is_kernel_ridge_regression_and_its_error_is_that_of_leaving_one_out() -> None:
    points, labels = blobs(60)
    points[:, 0] *= 2
    control = SmoothControl.fit(points, labels, 2)
    assert control is not None
    wrong = 0
    for left_out in range(60):
        kept = np.arange(60) != left_out
        one_hot = np.eye(2)[labels[kept]]
        # The mean is that of all: one sample in 60 is the difference to an honest refit
        model = KernelRidge(alpha=control.ridge, kernel=RBF(control.width))
        model.fit(points[kept], one_hot - control.means)
        wrong += int(
            (model.predict(points[[left_out]]) + control.means).argmax() != labels[left_out]
        )
    assert control.error == pytest.approx(wrong / 60)
    assert control.base_error == 0.5
    whole = KernelRidge(alpha=control.ridge, kernel=RBF(control.width))
    whole.fit(points, np.eye(2)[labels] - control.means)
    told = np.clip(whole.predict(points) + control.means, 0, None)
    assert np.allclose(control(points), told / told.sum(1, keepdims=True), atol=1e-8)


def test_noise_is_not_learnt_by_heart() -> None:
    points, labels = blobs(300)
    flipped = labels.copy()
    flipped[::10] = 1 - flipped[::10]
    control = SmoothControl.fit(points, flipped, 2)
    assert control is not None
    assert (control(points).argmax(1) == labels).mean() > 0.95
    assert 0.08 < control.error < 0.15


def test_many_samples_are_thinned_and_edges_refused() -> None:
    control = SmoothControl.fit(*blobs(2000), 2)
    assert control is not None
    assert len(control.points) == MOST
    assert SmoothControl.fit(np.zeros((50, 2)), np.zeros(50, int), 3) is None
    assert SmoothControl.fit(np.zeros((5, 2)), np.arange(5) % 2, 2) is None


def test_equal_points_and_far_points_have_finite_answers() -> None:
    control = SmoothControl.fit(np.zeros((20, 2)), np.arange(20) % 2, 2)
    assert control is not None
    assert np.isfinite(control(np.array([[0.0, 0.0], [1e9, 1e9]]))).all()
