"""Real, small and offline data with known faults, and models to try the tools on."""

from __future__ import annotations

from nbdiag.demo.digits_on_photos import DigitsOnPhotos, digits_on_photos
from nbdiag.demo.models import deep_sigmoid, small_resnet

__all__ = ["DigitsOnPhotos", "deep_sigmoid", "digits_on_photos", "small_resnet"]
