"""The two-way transformer: tokens ask the picture, and the picture asks the tokens.

SAM §3 and Fig. 14.

    tokens --> among themselves --> ask the map --> linear layers --------------+--> next block
    map    --------------------------------------> asks the tokens <------------+--> next block

Wherever the tokens ask or are asked, their first values are added once more, so that the prompt is never forgotten; to
the map, the code of each place.

Shapes: B prompts of all images, N tokens, E channels, M = h w places.
"""

from __future__ import annotations

from torch import Tensor, nn

from segtutor.models.attention import Attention


class TwoWayBlock(nn.Module):
    """One block.

    Args:
        channels: E.
        heads: Of each attention.
        hidden: Channels between the two linear layers.
        inner: Channels of both attentions between tokens and map.
        first: Whether it is the first, whose tokens are still what would be added to them.
    """

    def __init__(self, channels: int, heads: int, hidden: int, inner: int, first: bool) -> None:
        super().__init__()
        self.first = first
        self.attention = Attention(channels, heads)
        self.norm1 = nn.LayerNorm(channels)
        self.ask_map = Attention(channels, heads, inner)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.norm3 = nn.LayerNorm(channels)
        self.ask_tokens = Attention(channels, heads, inner)
        self.norm4 = nn.LayerNorm(channels)

    def forward(self, tokens: Tensor, places: Tensor, prompt: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """One exchange.

        Args:
            tokens: B x N x E.
            places: The map, B x M x E.
            prompt: The tokens as they were at first, B x N x E.
            codes: Of the places, 1 x M x E.

        Returns:
            Tokens and map.
        """
        if self.first:  # Its own values replace the tokens: nothing is added (SAM's code; the paper's figure adds).
            tokens = self.attention(tokens)
        else:
            tokens = tokens + self.attention(tokens + prompt, values=tokens, context=tokens + prompt)
        tokens = self.norm1(tokens)
        placed = places + codes
        tokens = self.norm2(tokens + self.ask_map.few_ask(tokens + prompt, placed, places))
        tokens = self.norm3(tokens + self.mlp(tokens))
        places = self.norm4(places + self.ask_tokens.many_ask(placed, tokens + prompt, tokens))
        return tokens, places


class TwoWayTransformer(nn.Module):
    """Several blocks, and a last question of the tokens to the map.

    Args:
        channels: E.
        depth: Blocks.
        heads: Of each attention.
        hidden: Channels between two linear layers.
        inner: Channels of the attentions between tokens and map.
    """

    def __init__(self, channels: int, depth: int, heads: int, hidden: int, inner: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TwoWayBlock(channels, heads, hidden, inner, first=number == 0) for number in range(depth)
        )
        self.ask_map = Attention(channels, heads, inner)
        self.norm = nn.LayerNorm(channels)

    def forward(self, prompt: Tensor, places: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens B x N x E, map B x M x E and its codes 1 x M x E to tokens and map."""
        tokens = prompt
        for block in self.blocks:
            tokens, places = block(tokens, places, prompt, codes)
        tokens = self.norm(tokens + self.ask_map.few_ask(tokens + prompt, places + codes, places))
        return tokens, places
