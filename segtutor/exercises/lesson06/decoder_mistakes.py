"""Typical wrong answers to exercise 6.8, the fusion in the decoder."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake


def _fused(  # type: ignore[no-untyped-def]
    encoded, low, weight, bias, *,
    aligned: bool | None = True, factor=None, relu="low", biased=True, reduce=True, order="encoder", size="low",
    mode="", shape=lambda h, w: (h, w), turned=False,
):  # fmt: skip
    """The fusion with the switches of the mistakes; as it stands, the right one."""
    import torch
    from torch.nn import functional as F

    encoded, low = torch.as_tensor(encoded), torch.as_tensor(low)
    aligned = aligned if mode in ("", "bicubic") else None
    mode = mode or ("nearest" if aligned is None else "bilinear")
    if reduce:
        low = F.conv2d(low, torch.as_tensor(weight), torch.as_tensor(bias) if biased else None)
        low = {
            "none": low, "encoder": low, "six": low.clamp(0, 6), "leaky": F.leaky_relu(low), "abs": low.abs(),
        }.get(relu, low.relu())  # fmt: skip
    if size == "encoder":
        low = F.interpolate(low, size=encoded.shape[-2:], mode=mode, align_corners=aligned)
    elif factor:
        encoded = F.interpolate(encoded, scale_factor=factor, mode=mode, align_corners=aligned)
    else:
        encoded = F.interpolate(encoded, size=shape(*low.shape[-2:]), mode=mode, align_corners=aligned)
        encoded = encoded.transpose(2, 3) if turned else encoded
    encoded = encoded.relu() if relu in ("all", "encoder") else encoded
    return torch.cat([encoded, low] if order == "encoder" else [low, encoded], dim=1)


def _added(encoded, low, weight, bias):  # type: ignore[no-untyped-def]
    """The two maps are added, the first channels of one to those of the other."""
    fused = _fused(encoded, low, weight, bias)
    channels = min(encoded.shape[1], len(weight))
    return fused[:, :channels] + fused[:, encoded.shape[1] : encoded.shape[1] + channels]


def _half_way(encoded, low):  # type: ignore[no-untyped-def]
    """The encoder's map at half of the low-level size."""
    import torch
    from torch.nn import functional as F

    half = [max(1, one // 2) for one in low.shape[-2:]]
    return F.interpolate(torch.as_tensor(encoded), size=half, mode="bilinear", align_corners=True)


def _cut_off(encoded, low, weight, bias):  # type: ignore[no-untyped-def]
    """Four times as large, then cut off or filled with zeros."""
    import torch
    from torch.nn import functional as F

    height, width = low.shape[-2:]
    large = F.interpolate(torch.as_tensor(encoded), scale_factor=4, mode="bilinear", align_corners=True)
    large = large[:, :, :height, :width]
    return _fused(F.pad(large, (0, width - large.shape[3], 0, height - large.shape[2])), low, weight, bias)


def _bias_behind(encoded, low, weight, bias):  # type: ignore[no-untyped-def]
    result = np.array(_fused(encoded, low, weight, bias, biased=False))
    result[:, encoded.shape[1] :] += bias[:, None, None]
    return result


def _along_the_batch(encoded, low, weight, bias):  # type: ignore[no-untyped-def]
    fused = np.asarray(_fused(encoded, low, weight, bias))
    channels = encoded.shape[1]
    return np.concatenate([fused[:, :channels], fused[:, channels:]], axis=0)


MISTAKES = (
    Mistake("corners not aligned", lambda *a: _fused(*a, aligned=False), "aligned"),
    Mistake("nearest", lambda *a: _fused(*a, aligned=None), "aligned"),
    Mistake("factor 4", lambda *a: _fused(*a, factor=4), "size"),
    Mistake("low-level map made small", lambda *a: _fused(*a, size="encoder"), "size"),
    Mistake("no ReLU", lambda *a: _fused(*a, relu="none"), "relu"),
    Mistake("ReLU of both", lambda *a: _fused(*a, relu="all"), "relu"),
    Mistake("no bias", lambda *a: _fused(*a, biased=False), "bias"),
    Mistake("not reduced", lambda *a: _fused(*a, reduce=False), "reduce"),
    Mistake("low-level first", lambda *a: _fused(*a, order="low"), "order"),
    Mistake("added", _added, "added"),
    Mistake("bicubic", lambda *a: _fused(*a, mode="bicubic"), "aligned"),
    Mistake("area", lambda *a: _fused(*a, mode="area"), "aligned"),
    Mistake("nearest exact", lambda *a: _fused(*a, mode="nearest-exact"), "aligned"),
    Mistake("in two steps", lambda e, x, w, b: _fused(_half_way(e, x), x, w, b), "aligned"),
    Mistake("repeated", lambda e, x, w, b: _fused(e.repeat(2, 2).repeat(2, 3), x, w, b), "aligned"),
    Mistake("factor 4, cut off", _cut_off, "size"),
    Mistake("factor 2", lambda *a: _fused(*a, factor=2), "size"),
    Mistake("size of the encoder's rows", lambda *a: _fused(*a, shape=lambda h, w: (h, h)), "size"),
    Mistake("width for height", lambda *a: _fused(*a, shape=lambda h, w: (w, h)), "size"),
    Mistake("width and height, turned back", lambda *a: _fused(*a, shape=lambda h, w: (w, h), turned=True), "size"),
    Mistake("ReLU of the encoder only", lambda *a: _fused(*a, relu="encoder"), "relu"),
    Mistake("ReLU before the convolution", lambda e, x, w, b: _fused(e, np.maximum(x, 0), w, b, relu="none"), "relu"),
    Mistake("ReLU before and after", lambda e, x, w, b: _fused(e, np.maximum(x, 0), w, b), "relu"),
    Mistake("ReLU6", lambda *a: _fused(*a, relu="six"), "relu"),
    Mistake("leaky", lambda *a: _fused(*a, relu="leaky"), "relu"),
    Mistake("absolute", lambda *a: _fused(*a, relu="abs"), "relu"),
    Mistake("bias behind ReLU", _bias_behind, "bias"),
    Mistake("bias twice", lambda e, x, w, b: _fused(e, x, w, 2 * b), "bias"),
    Mistake("first bias for all", lambda e, x, w, b: _fused(e, x, w, 0 * b + b[0]), "bias"),
    Mistake("encoder only", lambda e, x, w, b: _fused(e, x, w, b)[:, : e.shape[1]], "added"),
    Mistake("low-level only", lambda e, x, w, b: _fused(e, x, w, b)[:, e.shape[1] :], "added"),
    Mistake("along the batch", _along_the_batch, "pictures"),
    Mistake("the first picture for all", lambda e, x, w, b: _fused(e[:1].repeat(len(e), 0), x, w, b), "pictures"),
    Mistake("the first picture", lambda e, x, w, b: _fused(e[:1], x[:1], w, b), "pictures"),
    Mistake("mean of the low-level channels", lambda e, x, w, b: _fused(e, x, w / w.shape[1], b), "reduce"),
)
