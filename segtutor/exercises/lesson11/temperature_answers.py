"""Right answers to exercise 11.3, the temperature, written differently."""

from __future__ import annotations

import numpy as np


def with_scipy(logits, target, ignore):  # type: ignore[no-untyped-def]
    """SciPy searches in the logarithm of T."""
    from scipy import optimize, special

    keep = target.ravel() != ignore
    scores = logits.reshape(len(logits), -1).T[keep]
    labels = target.ravel()[keep]

    def loss(t):  # type: ignore[no-untyped-def]
        return -special.log_softmax(scores / np.exp(t), axis=1)[np.arange(len(labels)), labels].mean()

    found = optimize.minimize_scalar(loss, bounds=(np.log(0.05), np.log(50)), method="bounded", options={"xatol": 1e-7})
    return np.exp(found.x), found.fun


def with_candidates(logits, target, ignore):  # type: ignore[no-untyped-def]
    """Fifty temperatures, and five times fifty closer ones around the best."""
    valid = target != ignore
    scores = logits[:, valid] - logits[:, valid].max(axis=0)
    own = scores[target[valid], np.arange(valid.sum())]

    def loss(temperature):  # type: ignore[no-untyped-def]
        return (np.log(np.exp(scores / temperature).sum(axis=0)) - own / temperature).mean()

    candidates = np.geomspace(0.05, 50, 50)
    for _ in range(5):
        best = int(np.argmin([loss(one) for one in candidates]))
        candidates = np.geomspace(candidates[max(best - 1, 0)], candidates[min(best + 1, 49)], 50)
    return candidates[25], loss(candidates[25])


def with_torch(logits, target, ignore):  # type: ignore[no-untyped-def]
    """A gradient, and L-BFGS."""
    import torch
    from torch.nn import functional as F

    scores = torch.as_tensor(logits)[None]
    labels = torch.as_tensor(target)[None]
    log_b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log_b], max_iter=60, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure():  # type: ignore[no-untyped-def]
        optimizer.zero_grad()
        loss = F.cross_entropy(scores * log_b.exp(), labels, ignore_index=ignore)
        loss.backward()
        return loss

    optimizer.step(closure)
    return torch.exp(-log_b.detach()), closure().detach()
