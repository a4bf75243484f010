"""Writes constraints.txt: the version here of everything that nbdiag[test] rests on.

`.venv/bin/python tools/pin.py` after an upgrade that passed `make test`.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEAD = """\
# What is known to work together: `make demo` and `make test` install within these versions.
# Written by tools/pin.py.
"""


def closure(root: Requirement) -> dict[str, str]:
    """Name -> version of every installed distribution that `root` needs, itself left out."""
    versions: dict[str, str] = {}
    waiting, seen = [root], set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # needed on another platform only
        versions[name] = found.version
        extras = requirement.extras or {""}
        for line in found.requires or []:
            needed = Requirement(line)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    versions.pop(canonicalize_name(root.name), None)
    return versions


if __name__ == "__main__":
    pins = closure(Requirement("nbdiag[test]"))
    lines = [f"{name}=={pins[name]}\n" for name in sorted(pins)]
    path = Path(__file__).resolve().parent.parent / "constraints.txt"
    path.write_text(HEAD + "".join(lines))
    print(f"{len(lines)} packages pinned in {path.name}")
