"""The data set of the tutorial: handwritten digits on photographs, with faults to switch on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from nbdiag.demo.pictures import INKS, digit_bitmaps, paste, patch, stroke_alpha
from nbdiag.demo.plan import N_CLASSES, Plan, make_plan


def digits_on_photos(
    split: str = "train",
    *,
    n: int | None = None,
    copies: int = 1,
    background_correlation: float = 0.0,
    flower_classes: Sequence[int] = (5, 6, 7, 8, 9),
    minority: int | None = None,
    minority_share: float = 0.02,
    label_noise: float = 0.0,
    seed: int = 0,
) -> DigitsOnPhotos:
    """Real handwritten digits on real photographs: a small data set with known faults.

    The 1,797 digits and the two photographs (`china.jpg`, `flower.jpg`) ship with scikit-learn,
    so nothing is downloaded. A split owns its digits: no digit is in two splits, whatever the
    seed. The same arguments give the same bytes on every machine.

    Parameters
    ----------
    split : ``"train"`` (60 % of the digits), ``"val"`` or ``"test"`` (20 % each).
    n : number of pictures, classes in equal parts as far as they last; None takes all there
        are: 1,078 for training, 360 and 359 for the others, times `copies`.
    copies : how often each digit is pasted, each time elsewhere and on another patch.
    background_correlation : how far the photograph gives the class away, in [0, 1]. At 1 the
        `flower_classes` are always on the flower and all others always on the pagoda; at 0 each
        class is on both equally often; between, a class is on its own photograph in
        (1 + background_correlation) / 2 of its pictures.
    flower_classes : the classes that belong to the flower. With ``(7,)`` and a correlation of 1 a
        model can call whatever lies on the flower a 7, without a look at the digit.
    minority : a class that is made rare, or None.
    minority_share : share of the minority class among all pictures, below 0.1.
    label_noise : share of the pictures whose label is replaced by a wrong one, in [0, 1].
    seed : another seed pastes the same digits elsewhere.

    Raises
    ------
    ValueError
        An unknown split, a share outside its range, a class that does not exist, or more pictures
        than there are.

    >>> data = digits_on_photos("val", n=20, background_correlation=1.0)
    >>> image, label = data[0]
    >>> image.shape, image.dtype, label
    (torch.Size([3, 64, 64]), torch.float32, 4)
    >>> print(data.metadata["background"][0])
    china
    """
    plan = make_plan(
        split,
        n=n,
        copies=copies,
        background_correlation=background_correlation,
        flower_classes=flower_classes,
        minority=minority,
        minority_share=minority_share,
        label_noise=label_noise,
        seed=seed,
    )
    return DigitsOnPhotos(split, plan)


class DigitsOnPhotos(Dataset[tuple[torch.Tensor, int]]):
    """Pictures of digits on photographs; made by `digits_on_photos`.

    Item `i` is `(image, label)`: float32 (3, 64, 64) in [0, 1], RGB, and an int.

    Attributes
    ----------
    split : the name of the split.
    class_names : the 10 names.
    images : (N, 64, 64, 3) uint8, all pictures.
    targets : (N,) int64, all labels.
    metadata : dict of arrays (N,), ready for ``pandas.DataFrame(data.metadata)``: `background`
        (the photograph), `writers` (half of the file that the digit comes from: the file goes
        person by person), `true_label` (before label noise), `digit` (position in
        ``sklearn.datasets.load_digits()``), `ink`, and `size`, `left`, `top` (the square that the
        digit is drawn in, in pixels).
    """

    def __init__(self, split: str, plan: Plan) -> None:
        self.split = split
        self.class_names = tuple(str(label) for label in range(N_CLASSES))
        self.targets = plan.label
        self.metadata: dict[str, np.ndarray] = {
            "background": plan.background,
            "writers": np.where(
                plan.digit < len(digit_bitmaps()[1]) // 2, "first half", "second half"
            ),
            "true_label": plan.true_label,
            "digit": plan.digit,
            "ink": plan.ink,
            "size": plan.size,
            "left": plan.left,
            "top": plan.top,
        }
        self.images = np.stack([self._draw(plan, i) for i in range(len(plan.digit))])

    def _draw(self, plan: Plan, i: int) -> np.ndarray:
        left, top, side, mirrored = plan.patch[i]
        background = patch(str(plan.background[i]), left, top, int(side), bool(mirrored))
        return paste(background, self._alpha(i), INKS[str(plan.ink[i])])

    def _alpha(self, i: int) -> np.ndarray:
        digit, size, left, top = (
            int(self.metadata[key][i]) for key in ("digit", "size", "left", "top")
        )
        return stroke_alpha(digit_bitmaps()[0][digit], size, left, top)

    def mask(self, i: int) -> np.ndarray:
        """Which pixels of picture `i` belong to the digit and its rim: (64, 64) bool."""
        return self._alpha(i).max(axis=2) > 0

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        # torch.tensor copies: a caller who writes into an item must not change the data set.
        pixels = torch.tensor(self.images[i].transpose(2, 0, 1), dtype=torch.float32)
        return pixels.div_(255), int(self.targets[i])

    def __repr__(self) -> str:
        return f"DigitsOnPhotos({self.split!r}, {len(self)} pictures, {N_CLASSES} classes)"
