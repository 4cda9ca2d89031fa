"""Typical wrong answers to exercise 4.9, the auxiliary loss."""

from __future__ import annotations

import numpy as np

from segtutor.exercises.exercise import Mistake
from segtutor.exercises.later import F, torch


def _entropy(values, labels, **options):  # type: ignore[no-untyped-def]
    """The cross entropy with the switches of the mistakes; as it stands, the right one."""
    return F.cross_entropy(torch.as_tensor(values), torch.as_tensor(labels), **{"ignore_index": 255} | options)


def _total(main=1.0, auxiliary=None, when=lambda training: training, of=_entropy, then=lambda loss, weight: loss):  # type: ignore[no-untyped-def]
    """An answer with the switches of the mistakes; as it stands, the right one."""

    def answer(logits, labels, training, weight):  # type: ignore[no-untyped-def]
        if not when(training) or "aux" not in logits:
            return of(logits["out"], labels)
        factor = main(weight) if callable(main) else main
        second = weight if auxiliary is None else auxiliary(weight)
        return then(factor * of(logits["out"], labels) + second * of(logits["aux"], labels), weight)

    return answer


def _changed(change):  # type: ignore[no-untyped-def]
    """The right answer, changed at the end."""
    return lambda *arguments: change(_total()(*arguments))


def _aux_without_asking(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    auxiliary = logits["aux"]  # an error where the network has no such head
    return _total()({"out": logits["out"], "aux": auxiliary}, labels, training, weight)


def _aux_without_asking_in_training(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    loss = _entropy(logits["out"], labels)
    return loss + weight * _entropy(logits["aux"], labels) if training else loss


def _no_labels(labels):  # type: ignore[no-untyped-def]
    return torch.where(torch.as_tensor(labels) == 255, 0, torch.as_tensor(labels))


def _void_as_class_0(values, labels):  # type: ignore[no-untyped-def]
    return _entropy(values, _no_labels(labels))


def _void_and_class_0(values, labels):  # type: ignore[no-untyped-def]
    labels = torch.as_tensor(labels)
    return _entropy(values, torch.where(labels == 0, 255, labels))


def _divided_by_all_pixels(values, labels):  # type: ignore[no-untyped-def]
    return _entropy(values, labels, reduction="none").mean()


def _void_in_the_auxiliary_loss(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    loss = _entropy(logits["out"], labels)
    return loss + weight * _void_as_class_0(logits["aux"], labels) if training and "aux" in logits else loss


def _mean_of_pictures(values, labels):  # type: ignore[no-untyped-def]
    values, labels = torch.as_tensor(values), torch.as_tensor(labels)
    return torch.stack([_entropy(one[None], own[None]) for one, own in zip(values, labels, strict=True)]).mean()


def _mean_of_classes(values, labels):  # type: ignore[no-untyped-def]
    each, labels = _entropy(values, labels, reduction="none"), torch.as_tensor(labels)
    return torch.stack([each[labels == k].mean() for k in labels.unique() if k != 255]).mean()


def _divided_by_the_batch(values, labels):  # type: ignore[no-untyped-def]
    return _entropy(values, labels, reduction="sum") / len(values)


def _first_picture(values, labels):  # type: ignore[no-untyped-def]
    return _entropy(values[:1], labels[:1])


def _softmax_first(values, labels):  # type: ignore[no-untyped-def]
    return _entropy(torch.as_tensor(values).softmax(1), labels)


def _probability(values, labels):  # type: ignore[no-untyped-def]
    chosen = torch.as_tensor(values).softmax(1).gather(1, _no_labels(labels)[:, None])[:, 0]
    return -chosen[torch.as_tensor(labels) != 255].mean()


def _likelihood(values, labels):  # type: ignore[no-untyped-def]
    return F.nll_loss(torch.as_tensor(values), torch.as_tensor(labels), ignore_index=255)


def _softmax_over_columns(values, labels):  # type: ignore[no-untyped-def]
    return F.nll_loss(torch.as_tensor(values).log_softmax(-1), torch.as_tensor(labels), ignore_index=255)


def _mixed(mix):  # type: ignore[no-untyped-def]
    """One loss of logits that are mixed first."""

    def answer(logits, labels, training, weight):  # type: ignore[no-untyped-def]
        if not training or "aux" not in logits:
            return _entropy(logits["out"], labels)
        return _entropy(mix(torch.as_tensor(logits["out"]), torch.as_tensor(logits["aux"]), weight), labels)

    return answer


def _without_gradient(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    with torch.no_grad():
        return _total()(logits, labels, training, weight)


def _part_detached(name):  # type: ignore[no-untyped-def]
    def answer(logits, labels, training, weight):  # type: ignore[no-untyped-def]
        cut = {key: torch.as_tensor(one).detach() if key == name else one for key, one in logits.items()}
        return _total()(cut, labels, training, weight)

    return answer


def _in_numpy(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    return _total()({name: np.asarray(one) for name, one in logits.items()}, labels, training, weight)


def _from_arrays(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    return _total()({name: torch.from_numpy(one) for name, one in logits.items()}, labels, training, weight)


def _mean_of_probabilities(logits, labels, training, weight):  # type: ignore[no-untyped-def]
    shares = torch.as_tensor(logits["out"]).softmax(1)
    if training and "aux" in logits:
        shares = (shares + weight * torch.as_tensor(logits["aux"]).softmax(1)) / (1 + weight)
    return F.nll_loss(shares.log(), torch.as_tensor(labels), ignore_index=255)


MISTAKES = (
    Mistake("always added", _total(when=lambda training: True), "training"),
    Mistake("never added", _total(when=lambda training: False), "training"),
    Mistake("only after training", _total(when=lambda training: not training), "training"),
    Mistake("nothing after training", lambda lo, la, t, w: _total()(lo, la, t, w) * bool(t), "training"),
    Mistake("auxiliary loss alone in training", _total(main=0.0), "main"),
    Mistake("main loss halved", _total(main=0.5), "main"),
    Mistake("weight on the main loss", _total(main=lambda w: w, auxiliary=lambda w: 1.0), "main"),
    Mistake("weight on both", _total(main=lambda w: w), "main"),
    Mistake("1 - weight for the main loss", _total(main=lambda w: 1 - w), "main"),
    Mistake("weight for main, 1 - weight for auxiliary", _total(lambda w: w, lambda w: 1 - w), "main"),
    Mistake("weighted mean", _total(then=lambda loss, weight: loss / (1 + weight)), "main"),
    Mistake("mean of two", _total(then=lambda loss, weight: loss / 2), "main"),
    Mistake("main loss twice", _total(main=2.0), "main"),
    Mistake("head taken for granted", _aux_without_asking, "missing"),
    Mistake("head taken for granted in training", _aux_without_asking_in_training, "missing"),
    Mistake("weight 1", _total(auxiliary=lambda w: 1.0), "weight"),
    Mistake("weight fixed at 0.4", _total(auxiliary=lambda w: 0.4), "weight"),
    Mistake("weight squared", _total(auxiliary=lambda w: w * w), "weight"),
    Mistake("divided by the weight", _total(auxiliary=lambda w: 1 / w if w else 0.0), "weight"),
    Mistake("1 - weight for the auxiliary loss", _total(auxiliary=lambda w: 1 - w), "weight"),
    Mistake("weight subtracted", _total(auxiliary=lambda w: -w), "weight"),
    Mistake("weight at most 1", _total(auxiliary=lambda w: min(w, 1.0)), "weight"),
    Mistake("divided by all pixels", _total(of=_divided_by_all_pixels), "void"),
    Mistake("void as class 0", _total(of=_void_as_class_0), "void"),
    Mistake("void and class 0", _total(of=_void_and_class_0), "void"),
    Mistake("void is class 0", _total(of=lambda v, la: _entropy(v, _no_labels(la), ignore_index=0)), "void"),
    Mistake("void not ignored", _total(of=lambda v, la: _entropy(v, la, ignore_index=-100)), "void"),
    Mistake("void in the auxiliary loss", _void_in_the_auxiliary_loss, "void"),
    Mistake("sums", _total(of=lambda v, la: _entropy(v, la, reduction="sum")), "mean"),
    Mistake("losses of all pixels", _total(of=lambda v, la: _entropy(v, la, reduction="none")), "mean"),
    Mistake("mean of the pictures' means", _total(of=_mean_of_pictures), "mean"),
    Mistake("mean of the classes' means", _total(of=_mean_of_classes), "mean"),
    Mistake("sum divided by the batch", _total(of=_divided_by_the_batch), "mean"),
    Mistake("first picture", _total(of=_first_picture), "mean"),
    Mistake("softmax twice", _total(of=_softmax_first), "logits"),
    Mistake("no softmax", _total(of=_likelihood), "logits"),
    Mistake("probability, no logarithm", _total(of=_probability), "logits"),
    Mistake("softmax over the columns", _total(of=_softmax_over_columns), "logits"),
    Mistake("logits added", _mixed(lambda out, aux, weight: out + weight * aux), "logits"),
    Mistake("mean of the logits", _mixed(lambda out, aux, weight: (out + aux) / 2), "logits"),
    Mistake("logits mixed", _mixed(lambda out, aux, weight: (1 - weight) * out + weight * aux), "logits"),
    Mistake("a float", _changed(float), "gradient"),
    Mistake("detached", _changed(lambda loss: loss.detach()), "gradient"),
    Mistake("without gradient", _without_gradient, "gradient"),
    Mistake("auxiliary logits detached", _part_detached("aux"), "gradient"),
    Mistake("main logits detached", _part_detached("out"), "gradient"),
    Mistake("arrays in between", _in_numpy, "gradient"),
    Mistake("arrays expected", _from_arrays, "gradient"),
    Mistake("weight doubled", _total(auxiliary=lambda w: 2 * w), "weight"),
    Mistake("mean of the probabilities", _mean_of_probabilities, "logits"),
)
