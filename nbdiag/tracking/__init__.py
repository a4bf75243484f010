"""Runs on disk: written to TensorBoard event files as they grow, and read back."""
