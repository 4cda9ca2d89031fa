"""A running average of a network's weights, smoother than the weights themselves (Polyak and Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from segtutor.models.wrappers import inner


class Average:
    """The average over the steps of a run.

    In its first steps it follows more closely, with the decay (1 + n) / (10 + n), so that the random beginning is
    forgotten. Running statistics of batch norm are averaged like weights; counters are taken as they are.

    Args:
        model: The network.
        decay: Share of the average that remains after a step.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.state = {key: value.detach().clone() for key, value in inner(model).state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """After a step."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for key, value in inner(model).state_dict().items():
            if value.is_floating_point():
                self.state[key].lerp_(value, 1 - decay)
            else:
                self.state[key].copy_(value)

    def go_on(self, state: Mapping[str, Tensor], steps: int, device: torch.device) -> None:
        """Takes over the average of an interrupted run, after so many steps."""
        self.state = {key: value.to(device) for key, value in state.items()}
        self.updates = steps

    def give_to(self, model: nn.Module) -> None:
        """The network has the average from now on."""
        inner(model).load_state_dict(self.state)

    @contextmanager
    def in_place_of(self, model: nn.Module) -> Iterator[None]:
        """Inside, the network has the average; after, its own weights again."""
        own = {key: value.detach().clone() for key, value in inner(model).state_dict().items()}
        self.give_to(model)
        try:
            yield
        finally:
            inner(model).load_state_dict(own)
