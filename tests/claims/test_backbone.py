"""The course's backbone is made in a precision that its record tells."""

import json

import pytest
import torch

from segtutor.claims import backbone


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_recorded_command_names_the_precision(precision, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(backbone, "pictures_and_answers", lambda split, count, size: _drawn(count))
    out, threads, seen = tmp_path / "backbone.pt", torch.get_num_threads(), []
    layer = torch.nn.Conv2d.forward
    monkeypatch.setattr(
        torch.nn.Conv2d,
        "forward",
        lambda self, x: seen.append(self.training and layer(self, x).dtype) or layer(self, x),
    )
    words = ["--steps", "1", "--count", "4", "--precision", precision, "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["backbone", *words])
    backbone.main()
    assert set(seen) == {False, getattr(torch, precision)}
    record = json.loads(out.with_suffix(".json").read_text())
    assert (
        record["command"] == f"python -m segtutor.claims.backbone --steps 1 --count 4 --seed 0 --precision {precision}"
    )
    assert torch.get_num_threads() == threads
    assert "of the answers are right" in capsys.readouterr().out


def _drawn(count):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, 48, 48), dtype=torch.uint8, generator=generator)
    return images, torch.randint(0, 2, (count, 24), generator=generator).float()
