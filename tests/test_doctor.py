"""``segtutor doctor``: true figures, and one remedy for each trouble."""

import builtins
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from segtutor import cli, compute, doctor, resources


@pytest.fixture
def host():
    """Address of a server on this machine that knows no file."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_error(404)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/weights.pth"
    server.shutdown()
    server.server_close()


@pytest.fixture
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


def published(monkeypatch, *addresses):
    monkeypatch.setattr(doctor, "published_weights", lambda: [{"url": address} for address in addresses])


class TestReport:
    def test_the_whole(self, monkeypatch):
        published(monkeypatch)
        findings = doctor.examine(timeout=0.1)
        subjects = [finding.subject for finding in findings]
        expected = (
            "Python",
            "segtutor",
            "torch",
            "jupyterlab",
            "device",
            "processor",
            "precision",
            "threads",
            "memory",
        )
        for subject in (*expected, "disk", "data", "notebooks"):
            assert subject in subjects
        assert all(finding.remedy for finding in findings if finding.level != "ok")
        assert all(finding.level != "ok" for finding in findings if finding.remedy)

    @pytest.mark.parametrize(("units", "precision"), [("AMX", "bfloat16"), ("", "float32")])
    def test_what_it_chooses_and_why(self, units, precision, monkeypatch):
        monkeypatch.setattr(compute, "processor", lambda: compute.Processor("x86-64", "AVX-512", units))
        monkeypatch.setattr(compute, "choose_threads", lambda: compute.Threads(3, "I say so"))
        said = {finding.subject: finding.value for finding in doctor.computing()}
        assert said["processor"] == str(compute.processor())
        assert said["precision"].startswith(
            f"{precision}, because the processor has {'units' if units else 'no units'}"
        )
        assert said["threads"] == "3, because I say so"

    def test_data_sets_of_the_root(self, monkeypatch, tmp_path):
        monkeypatch.setenv("SEGTUTOR_DATA", str(tmp_path))
        (tmp_path / "coco" / "val2017").mkdir(parents=True)
        summary, broken = doctor.data_sets()
        assert summary.value.startswith("0 of ")
        assert str(tmp_path) in summary.value
        assert broken.value == "coco2017_val: coco/val2017 holds 0 files instead of 5000"
        assert broken.remedy == "get it again with  segtutor data get coco2017_val"

    def test_remedy_stands_under_its_trouble(self):
        text = doctor.format_report(
            [doctor.Finding("torch", "not installed", "trouble", "install it"), doctor.Finding("a", "b")]
        )
        assert text.splitlines() == ["torch  not installed", "       trouble: install it", "a      b"]

    @pytest.mark.parametrize(("level", "status"), [("ok", 0), ("note", 0), ("trouble", 1)])
    def test_status(self, level, status, monkeypatch, capsys):
        monkeypatch.setattr(doctor, "examine", lambda timeout: [doctor.Finding("a", "b", level, "c")])
        assert cli.main(["doctor"]) == status
        assert "b" in capsys.readouterr().out


class TestPackages:
    def test_bounds_are_those_of_pyproject(self):
        import tomllib

        root = resources.PACKAGE.parent
        if not (root / "pyproject.toml").exists():
            pytest.skip("pyproject.toml is only in a checkout")
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        expected = {(text, "") for text in project["dependencies"]}
        expected |= {(text, "lab") for text in project["optional-dependencies"]["lab"]}
        assert {(f"{name}>={bound}", extra) for name, bound, extra in doctor.requirements()} == expected

    def test_missing_and_old(self, monkeypatch):
        wanted = [("no-such-package", "1", ""), ("numpy", "999", ""), ("no-such-lab", "1", "lab"), ("numpy", "1", "")]
        monkeypatch.setattr(doctor, "requirements", lambda: wanted)
        missing, old, optional, fine = list(doctor.python_and_packages())[-4:]
        assert missing.level == "trouble"
        assert "pip install" in missing.remedy
        assert old.level == "trouble"
        assert "999 or newer" in old.remedy
        assert optional.level == "note"
        assert 'pip install "no-such-lab>=1"' in optional.remedy
        assert fine.level == "ok"

    def test_versions_compare_as_numbers(self):
        assert doctor._numbers("2.14.1+cu130") == (2, 14, 1)
        assert doctor._numbers("2.9") < doctor._numbers("2.14.0rc1")

    def test_torch_that_does_not_load(self, monkeypatch):
        real = builtins.__import__

        def fail(name, *more):
            if name == "torch":
                raise OSError("libcudart.so is missing")
            return real(name, *more)

        monkeypatch.setattr(builtins, "__import__", fail)
        (finding,) = doctor.devices()
        assert finding.level == "trouble"
        assert "libcudart.so" in finding.value

    def test_without_jupyter_and_torch(self, tmp_path):
        """A bare Python with nothing but this package."""
        # -S leaves out site-packages, and with them every installed package.
        code = (
            f"import sys; sys.path.insert(0, {str(resources.PACKAGE.parent)!r})\n"
            "from segtutor import doctor\n"
            "doctor.published_weights = lambda: []\n"
            "print(doctor.format_report(doctor.examine(0.1)))"
        )
        answer = subprocess.run(
            [sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
        assert "PyTorch does not load" in answer.stdout
        assert "segtutor was found but is not installed" in answer.stdout


class TestMachine:
    def test_memory_is_the_machines(self):
        total, available = doctor.memory()
        # A container's limit may lie below the machine's memory, never above it.
        assert 1e8 < total <= psutil.virtual_memory().total * 1.001
        if available is not None:
            assert 0 < available <= total

    def test_processors(self):
        assert 1 <= doctor.usable_processors() <= os.cpu_count()

    def test_little_memory_and_disk(self, monkeypatch):
        monkeypatch.setattr(doctor, "memory", lambda: (8e9, 1e9))
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: type("Usage", (), {"free": 1e9}))
        _, memory, disk = doctor.machine()
        assert (memory.level, disk.level) == ("note", "note")
        assert memory.value == "8.0 GB, 1.0 GB available"
        assert disk.value.startswith("1.0 GB free")

    def test_unknown_memory_is_said(self, monkeypatch):
        monkeypatch.setattr(doctor, "memory", lambda: (None, None))
        assert "unknown" in list(doctor.machine())[1].value


class TestFiles:
    def test_missing_data(self, monkeypatch):
        def missing(name):
            raise FileNotFoundError(f"the course's folder {name!r} is missing: install again")

        monkeypatch.setattr(doctor.resources, "folder", missing)
        assert [finding.level for finding in doctor.course_files()] == ["trouble", "trouble"]

    def test_downloaded_weights_are_found(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path))
        published(monkeypatch, "https://example.com/a.pth", "https://example.com/b.pth")
        (tmp_path / "weights").mkdir()
        (tmp_path / "weights" / "b.pth").touch()
        values = [finding.value for finding in doctor.downloads()]
        assert "1 of 2 published files downloaded" in values
        assert "b.pth" in values
        assert "a.pth" not in values

    def test_weights_out_of_packages_are_counted_under_the_names_that_they_have(self, tmp_path, monkeypatch):
        from segtutor.models.package_weights import kept_file
        from segtutor.models.weight_catalog import package_table

        monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path))
        assert doctor.package_files() == [kept_file(entry).name for entry in package_table()]
        assert any("0 of 3 from packages" in finding.value for finding in doctor.downloads())
        (tmp_path / "weights").mkdir()
        kept_file(package_table()[0]).write_bytes(b"")
        assert any("1 of 3 from packages" in finding.value for finding in doctor.downloads())

    def test_folder_of_downloads_that_cannot_be_written(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SEGTUTOR_CACHE", str(tmp_path / "not" / "yet"))
        monkeypatch.setattr(doctor.os, "access", lambda place, mode: Path(place) != tmp_path)
        finding = next(doctor.downloads())
        assert finding.level == "note"
        assert str(tmp_path) in finding.remedy

    def test_table_of_weights_is_the_courses(self):
        table = json.loads(resources.data("weights.json").read_text(encoding="utf-8"))["weights"]
        assert doctor.published_weights() == table


@pytest.mark.usefixtures("no_proxy")
class TestNetwork:
    def test_any_answer_counts(self, host, monkeypatch):
        published(monkeypatch, host, host)
        (finding,) = doctor.network(5)
        assert (finding.level, finding.value) == ("ok", "127.0.0.1 answers")

    def test_refused(self, monkeypatch):
        published(monkeypatch, "http://127.0.0.1:1/weights.pth")
        (finding,) = doctor.network(5)
        assert finding.level == "note"
        assert "own checkpoints are there" in finding.remedy

    def test_unknown_host(self, monkeypatch):
        published(monkeypatch, "https://no-such-host.invalid/weights.pth")
        (finding,) = doctor.network(2)
        assert finding.level == "note"

    def test_silence_ends(self, monkeypatch):
        """A name server that never answers does not hold the report up."""
        released = threading.Event()

        def wait(*_, **__):
            released.wait(30)
            raise OSError("too late")

        monkeypatch.setattr(doctor.urllib.request, "urlopen", wait)
        published(monkeypatch, "https://example.com/weights.pth")
        (finding,) = doctor.network(0.05)
        released.set()
        assert "nothing within 0.05 s" in finding.value
