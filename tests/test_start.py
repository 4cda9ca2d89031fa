"""start.py: what it says in each trouble, what it remembers of an installation, what it runs."""

import ast
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segtutor import compute

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("start", ROOT / "start.py")
start = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(start)


def make_course(root: Path) -> Path:
    for name in ("start.py", "pyproject.toml", "requirements-lock.txt"):
        shutil.copy(ROOT / name, root / name)
    for name in (start.FIRST_LESSON, os.path.join("segtutor", "__init__.py")):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    return root


class TestOldPython:
    def test_an_old_python_can_read_the_file(self):
        source = (ROOT / "start.py").read_text(encoding="utf-8")
        tree = ast.parse(source, feature_version=(3, 4))
        source.encode("ascii")  # Python 2 reads nothing else without being told
        too_new = (
            ast.JoinedStr,
            ast.AnnAssign,
            ast.NamedExpr,
            ast.Match,
            ast.Starred,
            ast.Nonlocal,
            ast.AsyncFunctionDef,
        )
        # A starred argument of a call is as old as Python; only the other uses are new.
        in_calls = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Call) for part in node.args}
        found = [node for node in ast.walk(tree) if isinstance(node, too_new) and id(node) not in in_calls]
        assert [(type(node).__name__, node.lineno) for node in found] == []
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert node.returns is None, node.name
                assert not node.args.kwonlyargs, node.name
                assert all(argument.annotation is None for argument in node.args.args), node.name
            if isinstance(node, ast.Raise):
                assert node.cause is None, f"line {node.lineno}: 'raise ... from' is not Python 2"

    @pytest.mark.parametrize("name", ["python2.7", "python3.6", "python3.8", "python3.10"])
    def test_an_old_python_says_that_it_is_too_old(self, name):
        program = shutil.which(name)
        works = program and subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0
        if not works:
            pytest.skip(f"no {name} on this machine")
        answer = subprocess.run([program, ROOT / "start.py"], capture_output=True, text=True, check=False)
        assert answer.returncode == 1
        assert "needs Python 3.11 or newer" in answer.stderr
        assert "Traceback" not in answer.stderr

    def test_oldest_python_is_the_projects(self):
        import tomllib

        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert project["requires-python"] == ">={}.{}".format(*start.OLDEST)

    def test_sentences(self):
        assert start.python_trouble((3, 11, 0), "Linux", "x86_64", True) is None
        assert start.python_trouble((3, 13, 2), "Darwin", "arm64", True) is None
        assert "this is Python 3.9.1" in start.python_trouble((3, 9, 1), "Linux", "x86_64", True)
        newer = start.python_trouble((3, 9, 1), "Linux", "x86_64", True, "python3.12")
        assert "python3.12 start.py" in newer
        assert "64-bit" in start.python_trouble((3, 12, 1), "Windows", "AMD64", False)
        assert "Intel" in start.python_trouble((3, 12, 1), "Darwin", "x86_64", True)

    def test_without_venv_module(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "ensurepip", None)
        with pytest.raises(start.Trouble, match=r"sudo apt install python3\.\d+-venv"):
            start.check_python()


class TestCourseFolder:
    def test_whole(self, tmp_path):
        start.check_whole_course(str(make_course(tmp_path)))

    @pytest.mark.parametrize("name", ["pyproject.toml", "requirements-lock.txt", start.FIRST_LESSON])
    def test_alone(self, tmp_path, name):
        (make_course(tmp_path) / name).unlink()
        with pytest.raises(start.Trouble, match="unpack the whole ZIP file"):
            start.check_whole_course(str(tmp_path))

    def test_read_only_folder(self, tmp_path):
        with pytest.raises(start.Trouble, match="copy the course into a folder of your own"):
            start.check_writable(str(tmp_path / "missing"))
        start.check_writable(str(tmp_path))
        assert list(tmp_path.iterdir()) == []


class TestDisk:
    def test_linux_downloads_cuda(self):
        assert start.sizes("Linux", False)[0] > 3e9 > start.sizes("Darwin", False)[0]
        assert start.sizes("Linux", True)[1] < 1e9

    def test_too_little_says_how_much(self):
        with pytest.raises(start.Trouble, match=r"has 4\.0 GB free and the installation needs 9\.7 GB"):
            start.check_disk(3.3e9, 6.4e9, 4e9, 50e9)

    def test_cache_only_where_it_fits(self):
        assert start.check_disk(3.3e9, 6.4e9, 50e9, 50e9) is True
        assert start.check_disk(3.3e9, 6.4e9, 10e9, 50e9) is False
        assert start.check_disk(3.3e9, 6.4e9, 50e9, 1e9) is False


PIP_SAYS = {
    "index could not be reached": (
        "WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'NewConnectionError("
        "'<pip._vendor.urllib3.connection.HTTPSConnection object>: Failed to establish a new connection: [Errno -3] "
        "Temporary failure in name resolution')': /simple/hatchling/\n"
        "ERROR: Could not find a version that satisfies the requirement hatchling>=1.24 (from versions: none)\n"
        "ERROR: No matching distribution found for hatchling>=1.24\n"
    ),
    "certificate": (
        "WARNING: Retrying after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: "
        "CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate'))'\n"
        "ERROR: No matching distribution found for torch\n"
    ),
    "no ready-made torch==2.14.1": (
        "ERROR: Could not find a version that satisfies the requirement torch==2.14.1 (from versions: none)\n"
        "ERROR: No matching distribution found for torch==2.14.1\n"
    ),
    "disk became full": "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
    "arrived damaged": "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n",
    "too long for Windows": (
        "ERROR: Could not install packages due to an OSError: [Errno 2] No such file or directory: 'C:\\\\x'\n"
        "HINT: This error might have occurred since this system does not have Windows Long Path support enabled.\n"
    ),
    "close JupyterLab": "ERROR: Could not install packages due to an OSError: [WinError 5] Denied: 'C:\\\\x'\n",
    "read-only": "ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system: '/x'\n",
    "ran out of memory": "ERROR: Exception:\nTraceback (most recent call last):\nMemoryError\n",
    "segtutor-install.log": "ERROR: something that nobody has foreseen\n",
}


class TestExplain:
    @pytest.mark.parametrize("expected", PIP_SAYS)
    def test_each_trouble_has_its_remedy(self, expected):
        log = "2026-01-01T00:00:00,000 Looking in indexes\n2026-01-01T00:00:00,000 " + PIP_SAYS[expected]
        sentence = start.explain(start.complaints(log), 1, "installing")
        assert expected in sentence
        assert sentence.endswith(".")
        assert "\n" not in sentence

    def test_what_pip_mentions_in_passing_is_no_reason(self):
        log = "Skipping link: connection refused\nERROR: No matching distribution found for torch==2.14.1\n"
        assert "no ready-made torch" in start.explain(start.complaints(log), 1, "installing")

    def test_an_index_without_the_first_package_is_none(self):
        """What pip says where it was told not to try again."""
        log = "ERROR: No matching distribution found for hatchling>=1.24\n"
        assert "index could not be reached" in start.explain(log, 1, "installing")

    def test_venv_without_ensurepip(self):
        said = "Error: Command '['.venv/bin/python3', '-m', 'ensurepip', '--upgrade']' returned non-zero exit status 1."
        assert "apt install python3" in start.explain(said, 1, "making the virtual environment")

    def test_killed(self):
        assert "out of memory" in start.explain("", -9, "installing")


@pytest.fixture
def environment(tmp_path):
    """An environment whose Python is this one, without an installation."""
    made = start.Environment(str(make_course(tmp_path)))
    os.makedirs(os.path.dirname(made.python))
    launcher = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    Path(made.python).write_text(launcher)
    os.chmod(made.python, 0o755)
    return made


def write_stamp(environment, **changes):
    content = dict(environment.wanted(), extras=["lab"])
    content.update(changes)
    Path(environment.stamp).write_text(json.dumps(content))


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
class TestStamp:
    def test_nothing_there(self, environment):
        assert not environment.is_ready(["lab"])
        assert environment.reason_to_remake() is None

    def test_complete(self, environment):
        write_stamp(environment)
        assert environment.is_ready(["lab"])
        assert not environment.is_ready(["lab", "test"])

    def test_tests_contain_the_lab(self, environment):
        write_stamp(environment, extras=["lab", "test"])
        assert environment.is_ready(["lab"])

    @pytest.mark.parametrize("name", ["requirements-lock.txt", "pyproject.toml"])
    def test_changed_requirements_install_again_in_place(self, environment, name):
        write_stamp(environment)
        with open(os.path.join(environment.root, name), "a") as file:
            file.write("# changed\n")
        assert not environment.is_ready(["lab"])
        assert environment.reason_to_remake() is None

    def test_line_ends_do_not_matter(self, environment):
        write_stamp(environment)
        lock = Path(environment.root, start.LOCK)
        lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
        assert environment.is_ready(["lab"])

    def test_moved_folder(self, environment):
        write_stamp(environment, place="/elsewhere")
        assert not environment.is_ready(["lab"])
        assert "moved" in environment.reason_to_remake()

    def test_python_gone(self, environment):
        write_stamp(environment)
        os.remove(environment.python)
        assert not environment.is_ready(["lab"])
        assert "does not run" in environment.reason_to_remake()

    def test_python_too_old(self, environment):
        write_stamp(environment)
        Path(environment.python).write_text("#!/bin/sh\necho 3.9\n")
        assert not environment.is_ready(["lab"])
        assert "too old" in environment.reason_to_remake()

    def test_another_python_than_the_one_that_runs_start(self, environment):
        Path(environment.python).write_text("#!/bin/sh\necho 3.99\n")
        write_stamp(environment)
        assert environment.is_ready(["lab"])

    def test_it_does_not_delete_itself(self, environment, monkeypatch):
        write_stamp(environment, place="/elsewhere")
        monkeypatch.setattr(start.sys, "prefix", environment.folder)
        with pytest.raises(start.Trouble, match="deactivate"):
            environment.make()
        assert os.path.exists(environment.python)

    def test_interrupted_while_writing(self, environment):
        Path(environment.log).write_text("Downloading torch\n")
        assert environment.reason_to_remake() is None
        Path(environment.log).write_text("Downloading torch\nInstalling collected packages: torch\n")
        assert "interrupted" in environment.reason_to_remake()

    @pytest.mark.parametrize("content", ["", "{", "[]", "null"])
    def test_damaged_stamp(self, environment, content):
        Path(environment.stamp).write_text(content)
        assert not environment.is_ready(["lab"])


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
class TestInstall:
    """The real steps with a stand-in for pip."""

    @pytest.fixture
    def pip(self, environment, monkeypatch):
        calls = []

        def run(command, folder, variables=None, stdin=None):
            calls.append((command, variables))
            assert not os.path.exists(environment.stamp), "the stamp must go before pip starts"
            Path(environment.log).write_text(run.log)
            return run.status

        run.log, run.status, run.calls = "", 0, calls
        monkeypatch.setattr(start, "run", run)
        return run

    def test_stamp_comes_last(self, environment, pip):
        write_stamp(environment, files="older")
        environment.install(["lab"])
        assert environment.is_ready(["lab"])
        assert environment.fresh
        command, variables = pip.calls[0]
        assert command[:3] == [environment.python, "-m", "pip"]
        assert command[-4:] == ["-c", "requirements-lock.txt", "-e", ".[lab]"]
        assert variables["TMPDIR"] == environment.scratch
        assert not os.path.exists(environment.scratch)

    def test_failure_leaves_no_stamp(self, environment, pip):
        pip.status, pip.log = 1, PIP_SAYS["index could not be reached"]
        with pytest.raises(start.Trouble, match="index could not be reached"):
            environment.install(["lab"])
        assert not environment.is_ready(["lab"])
        assert environment.reason_to_remake() is None

    def test_a_second_set_up_installs_nothing(self, environment, pip):
        start.set_up(["lab"], environment.root)
        start.set_up(["lab"], environment.root)
        assert len(pip.calls) == 1

    def test_tests_stay_when_the_lab_is_renewed(self, environment, pip):
        write_stamp(environment, extras=["lab", "test"], files="older")
        start.set_up(["lab"], environment.root)
        assert pip.calls[0][0][-1] == ".[lab,test]"

    def test_full_disk_stops_before_anything_is_touched(self, environment, pip, monkeypatch):
        monkeypatch.setattr(start, "free_bytes", lambda folder: 1e9)
        with pytest.raises(start.Trouble, match="free some space"):
            environment.install(["lab"])
        assert pip.calls == []

    def test_torch_that_is_there_is_not_counted_again(self, environment):
        assert not environment.has_locked_torch()
        line = next(line for line in (ROOT / start.LOCK).read_text().splitlines() if line.startswith("torch=="))
        name = "torch-{}.dist-info".format(line.split("==")[1])
        os.makedirs(os.path.join(environment.folder, "lib", "python3", "site-packages", name))
        assert environment.has_locked_torch()


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
class TestWeights:
    """The optional last step: whether the command is started, and how."""

    @pytest.fixture
    def calls(self, monkeypatch):
        calls = []

        def run(command, folder, variables=None, stdin=None):
            calls.append((command[1:], stdin))
            if isinstance(run.status, BaseException):
                raise run.status
            return run.status

        run.status = 0
        monkeypatch.setattr(start, "run", run)
        return run, calls

    def terminal(self, monkeypatch, answers):
        for name in ("stdin", "stdout"):
            stream = getattr(sys, name)
            monkeypatch.setattr(stream, "isatty", lambda: answers, raising=False)

    def test_asked_once_after_an_installation_where_somebody_can_answer(self, environment, calls, monkeypatch):
        _, started = calls
        self.terminal(monkeypatch, True)
        start.offer_weights(environment)
        assert started == []  # nothing was installed just now
        environment.fresh = True
        start.offer_weights(environment)
        assert started == [(["-m", "segtutor.cli", "data", "weights"], None)]  # it asks by itself

    def test_nobody_is_asked_without_a_terminal(self, environment, calls, monkeypatch, capsys):
        _, started = calls
        self.terminal(monkeypatch, False)
        environment.fresh = True
        start.offer_weights(environment)
        assert started == []
        assert "start.py --weights" in capsys.readouterr().out

    def test_said_on_the_command_line(self, environment, calls):
        _, started = calls
        environment.fresh = True
        start.offer_weights(environment, wanted=False)
        assert started == []
        environment.fresh = False
        start.offer_weights(environment, wanted=True)
        ((command, stdin),) = started
        assert command[-1] == "--yes"
        assert stdin is not None  # not the terminal: it can ask nothing

    @pytest.mark.parametrize("outcome", [1, KeyboardInterrupt(), OSError("no such file")])
    def test_a_failure_does_no_harm(self, environment, calls, capsys, outcome):
        run, _ = calls
        run.status = outcome
        start.fetch_weights(environment)
        assert "works without them" in capsys.readouterr().out

    @pytest.mark.parametrize(("line", "wanted"), [([], None), (["--weights"], True), (["--no-weights"], False)])
    def test_main_hands_the_choice_on(self, monkeypatch, line, wanted):
        chosen = []
        monkeypatch.setattr(start, "check_python", lambda: None)
        monkeypatch.setattr(start, "set_up", lambda extras: "environment")
        monkeypatch.setattr(start, "offer_weights", lambda environment, wanted: chosen.append((environment, wanted)))
        monkeypatch.setattr(start, "open_lab", lambda environment, port, browser: 0)
        assert start.main([*line, "--no-browser"]) == 0
        assert chosen == [("environment", wanted)]

    def test_the_whole_test_run_fetches_them_and_a_part_does_not(self, monkeypatch):
        fetched = []
        monkeypatch.setattr(start, "check_python", lambda: None)
        monkeypatch.setattr(start, "set_up", lambda extras: "environment")
        monkeypatch.setattr(start, "fetch_weights", fetched.append)
        monkeypatch.setattr(start, "test", lambda environment, arguments: 0)
        assert start.main(["test", "tests/metrics"]) == 0
        assert fetched == []
        assert start.main(["test"]) == 0
        assert fetched == ["environment"]


class TestRun:
    def test_learners_get_copies_without_outputs_by_the_course_s_own_command(self, monkeypatch, tmp_path):
        from segtutor import cli, resources
        from segtutor.commands import lab

        commands = []
        monkeypatch.setattr(start, "run", lambda command, folder: commands.append((command, folder)) or 0)
        environment = start.Environment(str(tmp_path))
        assert start.open_lab(environment, 8899, False) == 0
        ((command, folder),) = commands
        assert command[:3] == [environment.python, "-m", "segtutor.cli"]
        assert folder == str(tmp_path)
        opened = []
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(lab.subprocess, "Popen", lambda command, cwd: opened.append((command, cwd)))
        monkeypatch.setattr(lab, "wait", lambda process: 0)
        assert cli.main(command[3:]) == 0
        ((command, folder),) = opened
        assert "--ServerApp.port=8899" in command
        assert "--no-browser" in command
        copies = sorted(folder.rglob("*.ipynb"))
        originals = [
            path for path in resources.folder("notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in str(path)
        ]
        assert len(copies) == len(originals)
        for path in copies:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            assert not any(cell.get("outputs") for cell in cells), path
        kept = json.loads((resources.folder("notebooks") / "03_fcn.ipynb").read_text(encoding="utf-8"))["cells"]
        assert any(cell.get("outputs") for cell in kept), "the site and the repository keep them"

    def test_busy_port(self):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            port = server.getsockname()[1]
            assert start.port_is_busy(port)
        assert not start.port_is_busy(port)

    @pytest.mark.parametrize("text", ["", "x", "80", "70000", "-1"])
    def test_ports_that_are_none(self, text):
        with pytest.raises(start.argparse.ArgumentTypeError, match="1024 to 65535"):
            start.port_number(text)

    def test_status_of_the_program(self, tmp_path):
        assert start.run([sys.executable, "-c", "raise SystemExit(7)"], str(tmp_path)) == 7

    def test_a_status_that_ctrl_c_made_unsure_is_not_believed(self, tmp_path, monkeypatch):
        """Python says 0 of a child that ended in the moment of a Ctrl-C: an unfinished installation is no success."""

        answers = [KeyboardInterrupt(), 0]

        class Process:
            def __init__(self, *_, **__):
                pass

            def wait(self):
                answer = answers.pop(0)
                if isinstance(answer, BaseException):
                    raise answer
                return answer

        monkeypatch.setattr(start.subprocess, "Popen", Process)
        with pytest.raises(KeyboardInterrupt):
            start.run(["pip"], str(tmp_path))

    def test_all_checks_run_and_one_failure_fails(self, capfd, monkeypatch):
        program = [sys.executable, "-c"]
        some = [("first", [*program, "raise SystemExit(1)"]), ("second", [*program, "print('ran')"])]
        monkeypatch.setattr(start, "checks", lambda python, arguments: some)
        assert start.test(start.Environment(str(ROOT)), []) == 1
        said = capfd.readouterr().out
        assert "ran" in said
        assert "FAILED  first" in said
        assert "FAILED  second" not in said
        assert "\nComputed on " in said
        monkeypatch.setattr(start, "checks", lambda python, arguments: some[1:])
        assert start.test(start.Environment(str(ROOT)), []) == 0

    def test_the_kind_of_machine_is_what_the_course_says(self):
        variables = dict(os.environ, PYTHONPATH=str(ROOT))
        said = start.kind_of_machine(sys.executable, str(ROOT), variables)
        assert said == compute.summary()
        assert "bfloat16 units" in said
        for program in ("no-such-program", sys.executable):  # missing, and one without the course
            assert (
                start.kind_of_machine(
                    program, "/", {"PYTHONPATH": "", "PYTHONNOUSERSITE": "1", "HOME": "/", "PYTHONHOME": "/nowhere"}
                )
                == "an unknown kind of machine"
            )

    def test_arguments_go_to_pytest_alone(self):
        assert start.checks("python", ["tests/metrics", "-x"]) == [
            ("tests", ["python", "-m", "pytest", "tests/metrics", "-x"])
        ]
        titles = [title for title, _ in start.checks("python", [])]
        assert len(titles) == 7

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
    def test_interrupted_set_up_says_how_to_go_on(self, tmp_path):
        """Ctrl-C while pip works: no stamp, no traceback, and the same command goes on."""
        root = make_course(tmp_path)
        program = (
            "import signal, sys, start\n"
            # A test run in the background is started with Ctrl-C switched off, and hands that on.
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "start.Environment.make = lambda self: None\n"
            "start.Environment.python = property(lambda self: sys.executable)\n"
            "real = start.run\n"
            "wait = 'import sys, time; print(chr(71) + chr(79), flush=True); time.sleep(600)'\n"
            "start.run = lambda command, *more: real([sys.executable, '-c', wait], *more)\n"
            "sys.exit(start.main(['--no-browser']))\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        for line in process.stdout:
            if line.strip() == "GO":
                break
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=900)
        assert process.returncode == 130, error
        assert "Run the same command again" in out
        assert not (root / ".venv" / "segtutor-ready.json").exists()
