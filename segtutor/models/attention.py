"""Attention: each token asks a question, all tokens answer, and it takes their values in the measure of the answers.

Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin: Attention Is All You Need, 2017, §3.2.

    tokens ---- query ---------> h heads of d channels --+
                                                         +--> softmax(q k^T / sqrt(d)) v --> concat --> project
    context --- key, value ----> h heads of d channels --+

Shapes: B images, N tokens, M tokens of the context (N where a map attends to itself), C channels, h heads, d = C / h.
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from segtutor.models.sizes import exporting


def attend(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The formula, step by step; `Attention` computes the same without keeping the N x M weights.

    Args:
        query: ... x N x d.
        key: ... x M x d.
        value: ... x M x d.
        allowed: Where each token may look, ... x N x M, True or False; a row without True gives NaN.

    Returns:
        The weighted values, ... x N x d, and the weights, ... x N x M, whose rows sum to 1.
    """
    answers = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # ... x N x M
    if allowed is not None:
        answers = answers.masked_fill(~allowed, -math.inf)
    weights = answers.softmax(dim=-1)
    return weights @ value, weights


class Attention(nn.Module):
    """Attention with several heads (§3.2.2), of a map to itself or to a context.

    Args:
        channels: C.
        heads: h, a divisor of C, or of ``inner``.
        inner: Channels of all heads together, where they are not C.
    """

    def __init__(self, channels: int, heads: int, inner: int | None = None) -> None:
        super().__init__()
        inner = channels if inner is None else inner
        if inner % heads:
            raise ValueError(f"heads must divide the {inner} channels, but {heads!r} came")
        self.heads = heads
        self.query = nn.Linear(channels, inner)
        self.key = nn.Linear(channels, inner)
        self.value = nn.Linear(channels, inner)
        self.project = nn.Linear(inner, channels)

    def forward(
        self,
        tokens: Tensor,
        context: Tensor | None = None,
        values: Tensor | None = None,
        allowed: Tensor | None = None,
    ) -> Tensor:
        """What each token takes.

        Args:
            tokens: What asks, B x N x C.
            context: What answers, B x M x C; the tokens themselves where it is left out.
            values: What is taken, B x M x C; the context where it is left out. Another where only the question and the
                answer shall know of places.
            allowed: Where a token may look, B x N x M, True or False; everywhere where it is left out. Of a token that
                may look nowhere, the formula makes NaN, and PyTorch from 2.5 zeros.

        Returns:
            B x N x C.
        """
        context = tokens if context is None else context
        values = context if values is None else values
        mixed = F.scaled_dot_product_attention(
            self._split(self.query(tokens)),
            self._split(self.key(context)),
            self._split(self.value(values)),
            attn_mask=None if allowed is None else allowed[:, None],  # the same for all heads
        )
        return self.project(mixed.transpose(1, 2).flatten(2))

    def few_ask(self, tokens: Tensor, context: Tensor, values: Tensor) -> Tensor:
        """What ``forward`` gives, cheaper where a few tokens ask a large map: no layer is computed for each place.

        q (W k)^T is (q W) k^T, so the layer of the keys goes to the tokens; that of the values waits until they are
        mixed.

        Args:
            tokens: What asks, B x N x C.
            context: What answers, B x M x C.
            values: What is taken, B x M x C.

        Returns:
            B x N x C.
        """
        query = self._split(self.query(tokens))
        size = query.shape[-1]
        query = query / math.sqrt(size)
        asked = (query @ self._of_heads(self.key)).flatten(1, 2)  # B x hN x C
        constant = (query @ self.key.bias.view(self.heads, size, 1)).flatten(1, 2)  # B x hN x 1
        weights = (asked @ context.transpose(1, 2) + constant).softmax(dim=2)  # B x hN x M
        taken = (weights @ values).unflatten(1, (self.heads, -1))  # B x h x N x C
        mixed = taken @ self._of_heads(self.value).transpose(1, 2) + self.value.bias.view(self.heads, 1, size)
        return self.project(mixed.transpose(1, 2).flatten(2))

    def many_ask(self, tokens: Tensor, context: Tensor, values: Tensor) -> Tensor:
        """What ``forward`` gives, cheaper where a large map asks a few tokens; see `few_ask`.

        Args:
            tokens: What asks, B x N x C.
            context: What answers, B x M x C.
            values: What is taken, B x M x C.

        Returns:
            B x N x C.
        """
        key, value = self._split(self.key(context)), self._split(self.value(values))
        size = key.shape[-1]
        key = key / math.sqrt(size)
        answering = (key @ self._of_heads(self.query)).flatten(1, 2)  # B x hM x C
        constant = (key @ self.query.bias.view(self.heads, size, 1)).flatten(1, 2)  # B x hM x 1
        answers = answering @ tokens.transpose(1, 2) + constant  # B x hM x N
        weights = answers.unflatten(1, (self.heads, -1)).softmax(dim=2).flatten(1, 2)  # over the M of each head
        told = (value @ self.project.weight.T.unflatten(0, (self.heads, -1))).flatten(1, 2)  # B x hM x C
        return weights.transpose(1, 2) @ told + self.project.bias

    def _of_heads(self, layer: nn.Linear) -> Tensor:
        """The weight of a layer to all heads, h x d x C."""
        return layer.weight.unflatten(0, (self.heads, -1))

    def weights(self, tokens: Tensor, context: Tensor | None = None) -> Tensor:
        """How much each token takes from each of the context: B x h x N x M, rows sum to 1."""
        context = tokens if context is None else context
        query, key = self._split(self.query(tokens)), self._split(self.key(context))
        return attend(query, key, key)[1]

    def _split(self, tokens: Tensor) -> Tensor:
        """B x N x C to B x h x N x d."""
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def as_tokens(features: Tensor) -> Tensor:
    """B x C x h x w to B x hw x C, row by row."""
    return features.flatten(2).transpose(1, 2)


def as_map(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    """B x hw x C to B x C x h x w, the inverse of `as_tokens`."""
    maps = tokens.transpose(1, 2).unflatten(-1, size)
    # An exporter would compare the steps in memory of a turned map, and can prove nothing about them.
    return maps.contiguous() if exporting() else maps


def size_of(features: Tensor) -> tuple[int, int]:
    """(h, w) of B x C x h x w."""
    return features.shape[-2], features.shape[-1]
