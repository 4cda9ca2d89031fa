"""What detaches itself from a session is found and ended, where the grader takes orphans in; its own children go on."""

import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import os, subprocess, sys, time
from segtutor.grading import orphans

def sleeper(*before):
    return subprocess.Popen([sys.executable, "-c", "\\n".join((*before, "import time; time.sleep(60)"))], env={})

taking = sys.argv[1] == "taking"
if taking:
    assert orphans.take_orphans_in()
own = sleeper()
others = orphans.children()
reading, writing = os.pipe()
if not os.fork():
    os.setsid()
    for _ in range(2):
        if os.fork():
            os._exit(0)
        os.write(writing, f"{os.getpid()} ".encode())
    os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"], {})
os.wait()
time.sleep(0.5)
detached = int(os.read(reading, 99).split()[-1])
orphans.end_all_but(others)
print(own.pid, detached, *(pid in orphans.parents() for pid in (own.pid, detached)))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux finds orphans")
@pytest.mark.parametrize("taking", [True, False])
def test_what_detaches_itself_is_ended_where_orphans_are_taken_in(taking):
    command = [sys.executable, "-c", PROGRAM, "taking" if taking else "not"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not said.returncode, said.stderr
    own, detached, own_runs, detached_runs = said.stdout.split()
    os.kill(int(own), signal.SIGKILL)
    if not taking:
        os.kill(int(detached), signal.SIGKILL)
    assert own_runs == "True"
    assert detached_runs == str(not taking)
