"""A script run as torchrun runs it, by two processes. Time limits in tests are there to find hangs, not slowness."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def run_by_two_processes(script: Path) -> None:
    """Until both have ended; fails with what they said if one fails, and leaves none behind."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    with subprocess.Popen([*launcher, str(script)], stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        try:
            said = run.communicate(timeout=900)[1]
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)  # the launcher's children too
            raise
    assert run.returncode == 0, said[-2000:]
