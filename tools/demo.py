"""Opens JupyterLab on the tutorial; without a display it prints the address instead."""

from __future__ import annotations

import os
import subprocess
import sys

from setup import BIN, ROOT, is_root

TUTORIAL = ROOT / "notebooks" / "debug_session.ipynb"


def command() -> list[str]:
    """The `jupyter lab` call for this machine: address printed unless a browser can be opened."""
    lab = [str(BIN / "jupyter-lab"), "--ip=127.0.0.1", f"--ServerApp.root_dir={ROOT}"]
    # so that the printed address, too, leads to the tutorial
    lab.append(f"--LabApp.default_url=/lab/tree/{TUTORIAL.relative_to(ROOT).as_posix()}")
    display = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if not display:
        lab.append("--no-browser")
    if is_root():
        lab.append("--allow-root")
    return lab


if __name__ == "__main__":
    try:
        raise SystemExit(subprocess.run(command(), cwd=ROOT).returncode)
    except KeyboardInterrupt:  # Ctrl-C is how one leaves JupyterLab
        raise SystemExit(0) from None
