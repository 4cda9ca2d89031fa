"""Attention: three tokens by hand, PyTorch's own layer, and what a map's tokens are."""

import math

import pytest
import torch
from torch import nn

from segtutor.models.attention import Attention, as_map, as_tokens, attend


def test_three_tokens_by_hand():
    """d = 4, so answers are halved: 2 ln 2 / 2 = ln 2 makes e^answer = 2, against 1 and 1."""
    query = torch.tensor([[1.0, 0, 0, 0]])
    key = torch.tensor([[2 * math.log(2), 0, 0, 0], [0, 5, 0, 0], [0, 0, -3, 0]])
    value = torch.tensor([[4.0, 0, 0, 0], [0, 8, 0, 0], [0, 0, 12, 0]])
    mixed, weights = attend(query, key, value)
    torch.testing.assert_close(weights, torch.tensor([[0.5, 0.25, 0.25]]))
    torch.testing.assert_close(mixed, torch.tensor([[2.0, 2.0, 3.0, 0.0]]))


def pytorchs(ours, channels, heads):
    """PyTorch's layer with our weights."""
    theirs = nn.MultiheadAttention(channels, heads, batch_first=True)
    layers = (ours.query, ours.key, ours.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in layers]))
        theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in layers]))
        theirs.out_proj.weight.copy_(ours.project.weight)
        theirs.out_proj.bias.copy_(ours.project.bias)
    return theirs


@pytest.mark.parametrize("itself", [True, False])
def test_agrees_with_pytorchs_layer(itself):
    torch.manual_seed(0)
    ours = Attention(24, heads=3)
    tokens, context = torch.randn(2, 7, 24), torch.randn(2, 5, 24)
    context = tokens if itself else context
    with torch.no_grad():
        expected, weights = pytorchs(ours, 24, 3)(tokens, context, context, average_attn_weights=False)
        torch.testing.assert_close(ours(tokens, None if itself else context), expected)
        torch.testing.assert_close(ours.weights(tokens, None if itself else context), weights)


def test_attention_knows_no_order():
    torch.manual_seed(0)
    layer, tokens = Attention(8, heads=2), torch.randn(1, 6, 8)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    with torch.no_grad():
        torch.testing.assert_close(layer(tokens)[:, order], layer(tokens[:, order]))


def test_a_map_is_read_row_by_row_and_back():
    features = torch.arange(2 * 3 * 2 * 4.0).reshape(2, 3, 2, 4)
    tokens = as_tokens(features)
    assert tokens.shape == (2, 8, 3)
    assert tokens[1, 5].tolist() == features[1, :, 1, 1].tolist()  # the sixth token: second row, second column
    assert torch.equal(as_map(tokens, (2, 4)), features)


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="heads must divide the 8 channels, but 3 came"):
        Attention(8, heads=3)


@pytest.mark.parametrize(("way", "asking", "answering"), [("few_ask", 7, 60), ("many_ask", 60, 7)])
def test_the_cheap_ways_give_what_the_plain_one_gives(way, asking, answering):
    """With an inner width that is not C, values that are not the context, and every bias away from zero."""
    torch.manual_seed(0)
    attention = Attention(24, heads=3, inner=12)
    with torch.no_grad():
        for layer in (attention.query, attention.key, attention.value, attention.project):
            layer.bias.normal_()
    tokens, context = torch.randn(2, asking, 24), torch.randn(2, answering, 24)
    values = torch.randn(2, answering, 24)
    plain, cheap = (ask(tokens, context, values) for ask in (attention, getattr(attention, way)))
    torch.testing.assert_close(cheap, plain, atol=1e-5, rtol=1e-5)
    both = [torch.autograd.grad(one.square().sum(), list(attention.parameters())) for one in (plain, cheap)]
    for one, other in zip(*both, strict=True):
        torch.testing.assert_close(other, one, atol=1e-4, rtol=1e-4)
