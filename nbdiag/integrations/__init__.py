"""Watching from within other libraries' training loops; each file imports its own library."""
