"""What a machine is, and what is chosen for it: kinds of processors, precisions, threads."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from segtutor import compute

CPUINFO = """processor\t: 0
vendor_id\t: GenuineIntel
flags\t\t: fpu avx2 avx512f avx512bw amx_tile {units}

processor\t: 1
flags\t\t: fpu
"""


@pytest.fixture
def features(monkeypatch):
    """Names what the processor can do."""
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    return lambda *names: monkeypatch.setattr(compute, "_features", lambda: frozenset(names))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("avx2", "avx512_f", "amx_bf16", "avx512_bf16"), "x86-64 with AVX-512, with bfloat16 units (AMX)"),
        (("avx2", "avx512f", "avx512_bf16"), "x86-64 with AVX-512, with bfloat16 units (AVX-512 BF16)"),
        (("avx2", "avx512_f", "avx512_vnni"), "x86-64 with AVX-512, without bfloat16 units"),
        (("sse2", "avx2"), "x86-64 with AVX2, without bfloat16 units"),
        ((), "x86-64, without bfloat16 units"),
    ],
)
def test_kinds_of_processors(names, words, features):
    features(*names)
    assert str(compute.processor()) == words
    chosen = compute.choose_precision("cpu")
    assert chosen.name == ("bfloat16" if "with bfloat16" in words else "float32")
    assert chosen.reason.startswith("the processor has units" if "with bfloat16" in words else "the processor has no")


def test_arm(features, monkeypatch):
    features("asimd", "bf16")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert str(compute.processor()) == "arm64 with NEON, with bfloat16 units (NEON BF16)"


@pytest.mark.parametrize(
    ("limit", "units"),
    [("AVX2", ""), ("avx512_core_vnni", ""), ("AVX512_CORE_BF16", "AMX"), ("AVX512_CORE_AMX", "AMX"), ("ALL", "AMX")],
)
def test_a_limit_of_onednn_counts(limit, units, features, monkeypatch):
    features("avx512_f", "amx_bf16")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert compute.processor().units == units
    assert f"limited to {limit.upper()}" in str(compute.processor())


def test_units_that_pytorch_cannot_reach_do_not_count(features, monkeypatch):
    features("neon", "bf16")
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)  # as on a Mac
    assert compute.processor().units == ""


@pytest.mark.parametrize(("words", "expected"), [("amx_bf16 avx512_bf16", True), ("avx512_vnni", False)])
def test_linux_is_asked_where_pytorch_does_not_tell(words, expected, monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(compute.Path, "read_text", lambda path, **_: CPUINFO.format(units=words))
    found = compute._features.__wrapped__()
    assert ("amx_bf16" in found) is expected
    assert {"avx2", "avx512f"} <= found

    def missing(path, **_):
        raise FileNotFoundError

    monkeypatch.setattr(compute.Path, "read_text", missing)
    assert compute._features.__wrapped__() == frozenset()


@pytest.mark.skipif(not os.path.exists("/proc/cpuinfo"), reason="Linux tells its flags there")
def test_this_machines_units_are_those_that_linux_lists(monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    with open("/proc/cpuinfo") as file:
        words = file.read().split()
    assert (compute.processor().units != "") == any(name in words for name in ("amx_bf16", "avx512_bf16", "bf16"))


@pytest.mark.parametrize(("supported", "name"), [(True, "bfloat16"), (False, "float16")])
def test_gpus(supported, name, monkeypatch):
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: supported and not including_emulation
    )
    assert compute.choose_precision(torch.device("cuda", 1)).name == name
    assert compute.choose_precision("mps").name == "float32"


@pytest.fixture
def machine(monkeypatch):
    """Makes a machine of so many cores of so many processors, so many of them busy."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def make(cores, processors, busy):
        monkeypatch.setattr(compute, "usable_cores", lambda: cores)
        monkeypatch.setattr(os, "cpu_count", lambda: processors)
        monkeypatch.setattr(os, "getloadavg", lambda: (busy, 0.0, 0.0), raising=False)

    return make


@pytest.mark.parametrize(
    ("cores", "processors", "busy", "count"),
    [
        (2, 2, 0.1, 2), (2, 2, 0.9, 1), (2, 2, 8.0, 1), (8, 8, 0.0, 8), (8, 8, 3.2, 5), (8, 16, 4.0, 8),
        (1, 64, 0.0, 1), (4, 64, 30.0, 4), (4, 64, 62.0, 2),
    ],
)  # fmt: skip
def test_threads_for_the_cores_that_nothing_else_uses(cores, processors, busy, count, machine):
    machine(cores, processors, busy)
    chosen = compute.choose_threads()
    assert chosen.count == count
    assert ("busy" in chosen.reason) == (count < cores)


def test_what_the_user_has_set_is_respected(machine, monkeypatch):
    machine(2, 2, 9.0)
    for value, count in (("3", 3), ("4,2", 4), ("0", 1), ("many", 1), ("", 1)):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert compute.choose_threads().count == count
    machine(2, 2, 0.0)
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.delattr(os, "getloadavg")  # Windows
    assert compute.choose_threads().count == 2


def test_two_processors_of_one_core_count_once(monkeypatch):
    siblings = {0: "0,4", 4: "0,4", 1: "1,5", 7: None}

    def read_text(path, **_):
        number = int(str(path).split("/cpu/cpu")[1].split("/")[0])
        if siblings[number] is None:
            raise OSError
        return siblings[number] + "\n"

    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(siblings), raising=False)
    monkeypatch.setattr(compute.Path, "read_text", read_text)
    monkeypatch.setattr(compute, "_quota", lambda: 1e9)
    assert compute.usable_cores() == 3
    monkeypatch.setattr(compute, "_quota", lambda: 2.5)
    assert compute.usable_cores() == 2


def test_quotas_of_containers(tmp_path):
    assert compute._quota(tmp_path) > 1e9
    (tmp_path / "cpu").mkdir()
    for name, value in (("quota", "-1"), ("period", "100000")):
        (tmp_path / "cpu" / f"cpu.cfs_{name}_us").write_text(f"{value}\n")
    assert compute._quota(tmp_path) > 1e9
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("300000\n")
    assert compute._quota(tmp_path) == 3
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert compute._quota(tmp_path) == 1.5
    (tmp_path / "cpu.max").write_text("20000 100000\n")
    assert compute._quota(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert compute._quota(tmp_path) > 1e9


def test_threads_are_settled_once_and_without_pytorch_for_pytorch(monkeypatch):
    """In a fresh process: the choice waits in the environment, and PyTorch starts with it."""
    program = (
        "import sys\nfrom segtutor import compute\n"
        "compute.choose_threads = lambda: compute.Threads(counts.pop(0), 'x')\ncounts = [1, 2]\n"
        "compute.settle_threads(); compute.settle_threads()\n"
        "assert 'torch' not in sys.modules\nimport torch\nprint(torch.get_num_threads(), counts)\n"
    )
    variables = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    run = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=False)
    assert run.stdout == "1 [2]\n", run.stderr


def test_threads_of_a_part_of_a_program():
    before = torch.get_num_threads()
    with compute.threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    part = pytest.raises(KeyError)
    with part, compute.threads(before + 1):
        raise KeyError
    assert torch.get_num_threads() == before


def test_pytorch_that_is_there_is_told(monkeypatch):
    told = []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    monkeypatch.setattr(compute, "choose_threads", lambda: compute.Threads(5, ""))
    compute.settle_threads.cache_clear()
    try:
        compute.settle_threads()
    finally:
        compute.settle_threads.cache_clear()
    assert told == [5]


def test_commands_that_compute_settle_their_threads_and_others_do_not(monkeypatch):
    from segtutor import cli

    settled = []
    monkeypatch.setattr(compute, "settle_threads", lambda: settled.append(1))
    module = SimpleNamespace(configure=lambda parser: None, run=lambda arguments: 0)
    for name in cli.COMMANDS:
        monkeypatch.setitem(sys.modules, f"segtutor.commands.{name}", module)
        assert cli.main([name]) == 0
    assert len(settled) == len(cli.COMPUTING) == 5
    assert set(cli.COMPUTING) < set(cli.COMMANDS)


PROGRAMS = ("claims/backbone", "claims/mask_checkpoint", "claims/sam_checkpoint", "exercises/lesson03/make_fcn8s")


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_that_train_choose_their_threads(name):
    folder = compute.Path(compute.__file__).parent
    text = (folder / f"{name}.py").read_text(encoding="utf-8")
    assert '__name__ == "__main__"' in text
    if "= arguments_of(MODULE" in text:  # whose command line settles them
        text = (folder / "claims/checkpoints.py").read_text(encoding="utf-8")
    assert "compute.settle_threads()" in text or "compute.threads(1)" in text


def test_nothing_else_sets_threads_or_fixes_a_precision():
    """One place decides."""
    root = compute.Path(compute.__file__).parents[1]
    files = [*root.glob("segtutor/**/*.py"), *root.glob("notebooks/source/*.py")]
    assert len(files) > 200
    for path in files:
        text = path.read_text(encoding="utf-8")
        if path.name != "compute.py":
            assert "torch.set_num_threads" not in text, path
        assert 'precision="bfloat16"' not in text, path
        assert path.name == "precision.py" or "torch.autocast(" not in text or "enabled=False" in text, path


def test_the_summary_has_everything(monkeypatch):
    monkeypatch.setattr(compute, "processor", lambda: compute.Processor("arm64", "SVE", "SVE BF16"))
    monkeypatch.setattr(compute, "choose_threads", lambda: compute.Threads(1, ""))
    assert compute.summary() == "arm64 with SVE, with bfloat16 units (SVE BF16): bfloat16, 1 thread"
    monkeypatch.setattr(compute, "choose_threads", lambda: compute.Threads(4, ""))
    assert compute.summary().endswith(": bfloat16, 4 threads")
