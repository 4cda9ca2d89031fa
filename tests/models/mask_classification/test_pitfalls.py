"""What goes wrong with mask classification without a message, in others' code, and what holds here.

| pitfall | test |
|---|---|
| void, or the setting for it, is not looked at | test_mask_losses: what stands under void changes nothing |
| void has another number than 255 | here |
| the loss is divided by the masks of a picture or of one process | test_mask_losses: a mask counts the same; here |
| the class loss is a weighted mean | test_mask_losses |
| ten terms: nine layers and before the first | test_mask2former: training output |
| queries are compared at different points | here |
| costs that are not a number; no object at all | test_mask_losses: what does not fit; a picture without objects |
| "no object" among the classes of a label map | test_mask_outputs |
| 0.5 or 0.8; arguments that nobody reads | here |
| stuff in pieces | test_mask_outputs |
| an instance's score is the class's alone | test_mask_outputs |
| the wrong number of encoded masks | here |
| masks of 0 and 255 | test_mask_losses: what does not fit |
| True may, or may not | here; test_eomt: who may look where |
| masks that stay on after training | here; test_eomt: annealing |
"""

import json

import pytest
import torch
from torch import nn

from segtutor import models
from segtutor.inference.masks import FoundMasks
from segtutor.metrics import rle
from segtutor.models.attention import Attention
from segtutor.models.mask_classification.losses import mask_classification_loss
from segtutor.models.mask_classification.matching import LossSettings, Objects, costs, objects_of
from segtutor.models.mask_classification.outputs import instances, panoptic
from tests.two_processes import run_by_two_processes


def test_void_may_have_any_number():
    """A library had 255, and 254 for what became of it, written into its code."""
    labels = torch.tensor([[0, 255, 254], [1, 1, 254]])
    objects = objects_of(labels, ignore_index=254)
    assert objects.labels.tolist() == [0, 1, 255]
    assert objects.void.tolist() == [[False, False, True], [False, False, True]]


def test_all_queries_are_compared_at_the_same_points():
    """Two equal queries cost the same, and the points are drawn anew for each picture."""
    torch.manual_seed(0)
    masks = torch.randn(1, 20, 20).expand(2, -1, -1) * 4
    objects = Objects(torch.tensor([0, 1]), torch.rand(2, 20, 20) > 0.5)
    table = costs(torch.zeros(2, 3), masks, objects, LossSettings(points=8))
    torch.testing.assert_close(table[0], table[1])
    assert not torch.allclose(table, costs(torch.zeros(2, 3), masks, objects, LossSettings(points=8)))


ALL_PIXELS = LossSettings(points=None)
PARTS = (1, 3)  # objects of the first process's picture and of the second's


def batch_of(part: int) -> tuple[torch.Tensor, torch.Tensor, Objects]:
    """Class logits, mask logits and objects of one picture."""
    generator = torch.Generator().manual_seed(part)
    masks = torch.rand(PARTS[part], 6, 8, generator=generator) > 0.5
    return (
        torch.randn(1, 5, 4, generator=generator),
        torch.randn(1, 5, 6, 8, generator=generator),
        Objects(torch.arange(PARTS[part]) % 3, masks),
    )


def loss_of(*parts: int) -> dict[str, float]:
    classes, masks, objects = zip(*(batch_of(part) for part in parts), strict=True)
    output = {"classes": torch.cat(classes), "masks": torch.cat(masks), "layers": []}
    return {name: float(one) for name, one in mask_classification_loss(output, objects, ALL_PIXELS).items()}


@pytest.mark.slow
def test_the_masks_of_all_processes_are_counted(tmp_path):
    """Gradients are averaged over processes, and the mean of both losses of masks is that of the whole batch."""
    script = tmp_path / "run.py"
    script.write_text(
        "import json, os, sys\n"
        f"sys.path[:0] = {[str(models.__file__).rsplit('/segtutor/', 1)[0]]!r}\n"
        "import torch\n"
        "from tests.models.mask_classification.test_pitfalls import loss_of\n"
        "torch.distributed.init_process_group('gloo')\n"
        "rank = torch.distributed.get_rank()\n"
        f"with open(os.path.join({str(tmp_path)!r}, f'{{rank}}.json'), 'w') as file:\n"
        "    json.dump(loss_of(rank), file)\n"
        "torch.distributed.destroy_process_group()\n"
    )
    run_by_two_processes(script)

    said = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    whole, alone = loss_of(0, 1), [loss_of(0), loss_of(1)]
    for name in ("mask", "dice"):
        assert (said[0][name] + said[1][name]) / 2 == pytest.approx(whole[name])
        assert (alone[0][name] + alone[1][name]) / 2 != pytest.approx(whole[name], rel=0.01)


CLASSES = torch.log(torch.tensor([[0.6, 0.3, 0.1], [0.05, 0.9, 0.05], [0.85, 0.1, 0.05]]))
MASKS = torch.tensor([[2.0, 2, -2, -2], [-2, 2.2, 2.2, -2], [-2, -2, -1, 3]])[:, None]


@pytest.mark.parametrize(
    ("changed", "segments"),
    [
        ({}, [1, 0]),  # sure above 0.8: the second and the third, each for itself
        ({"threshold": 0.5}, [1, 0]),  # the first takes part, and loses half of its mask
        ({"threshold": 0.5, "overlap": 0.5}, [0, 1, 0]),
        ({"threshold": 0.5, "overlap": 0.5, "stuff": (0,)}, [0, 1]),
        ({"threshold": 0.87}, [1]),
    ],
)
def test_every_argument_of_the_panoptic_reading_is_read(changed, segments):
    found = panoptic(CLASSES, MASKS, **changed)
    assert [one.label for one in found[1]] == segments
    again = FoundMasks(CLASSES, MASKS).panoptic(**changed)
    assert torch.equal(found[0], again[0])
    assert found[1] == again[1]


def test_every_argument_of_the_instance_reading_is_read():
    assert len(instances(CLASSES, MASKS)["labels"]) == 6  # each query with each class
    assert len(instances(CLASSES, MASKS, count=2)["labels"]) == 2
    assert set(instances(CLASSES, MASKS, things=[1])["labels"].tolist()) == {1}


def test_every_mask_is_encoded_once_and_comes_back():
    """A library encoded all masks again for each of them, in a loop."""
    found = instances(CLASSES, MASKS)["masks"].numpy()
    encoded = rle.encode(found)
    assert len(encoded) == len(found) == 6
    for one, mask in zip(encoded, found, strict=True):
        assert (rle.decode(one) == mask).all()


def test_true_means_may_here_and_may_not_in_pytorchs_layer():
    torch.manual_seed(0)
    ours, theirs = Attention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        projections = (ours.query, ours.key, ours.value)
        theirs.in_proj_weight.copy_(torch.cat([one.weight for one in projections]))
        theirs.in_proj_bias.copy_(torch.cat([one.bias for one in projections]))
        theirs.out_proj.load_state_dict(ours.project.state_dict())
    tokens = torch.randn(1, 4, 8)
    allowed = torch.tensor([[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1], [1, 1, 1, 1]], dtype=torch.bool)
    with torch.inference_mode():
        got = ours(tokens, allowed=allowed[None])
        torch.testing.assert_close(got, theirs(tokens, tokens, tokens, attn_mask=~allowed)[0])
        assert not torch.allclose(got, theirs(tokens, tokens, tokens, attn_mask=allowed)[0], atol=1e-3)


def test_a_trained_eomt_draws_no_masks_on_its_way():
    """Once the annealing is over, it gives what it gives if everybody may look everywhere."""
    torch.manual_seed(0)
    network = models.create("eomt_tiny", num_classes=3).eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        network.anneal(0.0)
        masked = network(images)["masks"]
        network.anneal(1.0)
        trained = network(images)["masks"]
        network._allowed = lambda masks, size, tokens, share: torch.ones(1, tokens, tokens, dtype=torch.bool)
        network.mask_share.fill_(1.0)
        torch.testing.assert_close(network(images)["masks"], trained)
    assert not torch.allclose(masked, trained)
