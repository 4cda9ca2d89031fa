"""Typical wrong answers to exercise 11.1, batch norm's statistics."""

from __future__ import annotations

from typing import Any

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.later import nn, torch


def _pass(  # type: ignore[no-untyped-def]
    network, batches, prior,
    momentum="right", reset="none", mode="norms", back="all", steps=False, parts="each", kept="prior",
):  # fmt: skip
    """The pictures pass with the switches of the mistakes; as it stands, the right way."""
    modes = [(module, module.training) for module in network.modules()]
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    if mode == "all":
        network.train()
    else:
        network.eval()
        for norm in norms[: 1 if mode == "the first" else 0 if mode == "none" else None]:
            norm.train()
    for norm in norms:
        if reset == "statistics":
            norm.reset_running_stats()
        if reset == "parameters":
            norm.reset_parameters()
    given = {"each": batches, "first": batches[:1], "together": [torch.cat(list(batches))],
             "pictures": [one[None] for batch in batches for one in batch]}[parts]  # fmt: skip
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    pictures = sum(map(len, batches))
    seen = {"prior": prior, "nothing": 0, "one": 1}[kept]
    for batch in given:
        count = 1 if momentum == "batches" else len(batch)
        seen += count
        share = {"right": count / seen, "batches": count / seen, "none": None, "one": 1.0, "small": 0.1,
                 "turned": 1 - count / seen, "as it was": None, "all": count / (prior + pictures),
                 }[momentum]  # fmt: skip
        for norm in norms:
            if momentum != "as it was":
                norm.momentum = share
        with torch.set_grad_enabled(steps):
            result = network(batch)
        if steps:
            optimizer.zero_grad()
            result.square().mean().backward()
            optimizer.step()
    if back in ("all", "modes"):
        for module, before in modes:
            module.training = before
    if back in ("eval", "train"):
        network.train(back == "train")
    if back != "modes":
        for norm, before in zip(norms, momenta, strict=True):
            norm.momentum = before


def _counted(network, batches, prior, biased=False, own=True):  # type: ignore[no-untyped-def]
    """Counts what goes into each layer; `own` says whether a layer normalizes by the batch while that happens."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    seen: dict[Any, list[Any]] = {norm: [] for norm in norms}

    def count(norm, given, result):  # type: ignore[no-untyped-def]
        values = given[0].detach().transpose(0, 1).flatten(1)
        seen[norm].append(len(given[0]) * torch.stack([values.mean(1), values.var(1, correction=0 if biased else 1)]))
        if own:
            return nn.functional.batch_norm(given[0], None, None, norm.weight, norm.bias, True, 0.0, norm.eps)
        return result

    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    handles = [norm.register_forward_hook(count) for norm in norms]
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for handle in handles:
        handle.remove()
    for module, before in modes:
        module.training = before
    pictures = prior + sum(map(len, batches))
    for norm in norms:
        mean, variance = torch.stack(seen[norm]).sum(0)
        norm.running_mean.mul_(prior).add_(mean).div_(pictures)
        norm.running_var.mul_(prior).add_(variance).div_(pictures)


def _mistake(name, hint, **switches):  # type: ignore[no-untyped-def]
    return Mistake(name, lambda *given: _pass(*given, **switches), hint)


MISTAKES = (
    _mistake("the momentum of the training", "momentum", momentum="as it was"),
    _mistake("the momentum of the training, after a reset", "momentum", momentum="as it was", reset="statistics"),
    _mistake("a momentum of 0.1", "momentum", momentum="small", reset="statistics"),
    _mistake("the rest as momentum", "momentum", momentum="turned"),
    _mistake("one momentum for all batches", "momentum", momentum="all"),
    _mistake("a plain average", "batches", momentum="none", reset="statistics"),
    _mistake("the average goes on", "prior", momentum="none"),
    _mistake("without the prior", "prior", kept="nothing"),
    _mistake("the prior is one picture", "prior", kept="one"),
    _mistake("the prior counts after a reset", "prior", reset="statistics"),
    _mistake("evaluation mode", "mode", mode="none"),
    _mistake("only the first batch norm", "mode", mode="the first"),
    _mistake("dropout is on", "dropout", mode="all"),
    _mistake("evaluation mode at the end", "restore", back="eval"),
    _mistake("training mode at the end", "restore", back="train"),
    _mistake("all as it is at the end", "restore", back="momenta"),
    _mistake("the momentum stays", "restore", back="modes"),
    _mistake("parameters reset", "affine", reset="parameters"),
    _mistake("a step of training", "weights", steps=True),
    _mistake("all batches alike", "batches", momentum="batches"),
    _mistake("the last batch alone", "batches", momentum="one"),
    _mistake("the first batch alone", "batches", parts="first"),
    _mistake("all in one batch", "batches", parts="together"),
    _mistake("picture by picture", "batches", parts="pictures"),
    Mistake("divided by n", lambda network, batches, prior: _counted(network, batches, prior, biased=True), "variance"),
    Mistake(
        "normalized by what was kept",
        lambda network, batches, prior: _counted(network, batches, prior, own=False),
        "flow",
    ),
)
