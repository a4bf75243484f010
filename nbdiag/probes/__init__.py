"""What touches a model: hooks, forward and backward passes. The only package that imports torch."""
