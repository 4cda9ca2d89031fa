"""Changes of the solutions of lesson 11 that are right, too; `mutation` reads this table."""

# ruff: noqa: E501

_INTERVAL = "No best b of the check lies near an end of the interval, and it is halved until nothing is left of it."
_CONSTANT = "A softmax forgets a constant; where its powers grow too large, the search goes on below."
_BORDER = "No network lies so close to a border between two verdicts."

EQUIVALENT = {
    "11.3": {
        "best_temperature: scores = logits[:, valid] - logits[:, valid].max(axis=0): logits[:, valid] - logits[:, valid].max(axis=0) => logits[:, valid] + logits[:, valid].max(axis=0)": _CONSTANT,
        "best_temperature: scores = logits[:, valid] - logits[:, valid].max(axis=0): logits[:, valid].max(axis=0) => logits[:, valid].max()": _CONSTANT,
        "best_temperature: scores = logits[:, valid] - logits[:, valid].max(axis=0): logits[:, valid].max => logits[:, valid].min": _CONSTANT,
        "best_temperature: low, high = (1 / 50, 1 / 0.05): 1 / 50 => 1 // 50": _INTERVAL,
        "best_temperature: low, high = (1 / 50, 1 / 0.05): 1 / 0.05 => 1 // 0.05": _INTERVAL,
        "best_temperature: low, high = (1 / 50, 1 / 0.05): 1 => 0": _INTERVAL,
        "best_temperature: low, high = (1 / 50, 1 / 0.05): 50 => 51": _INTERVAL,
        "best_temperature: low, high = (1 / 50, 1 / 0.05): 50 => 49": _INTERVAL,
        "best_temperature: low, high = (1 / 50, 1 / 0.05): 1 => 2 (2)": _INTERVAL,
        "best_temperature: low, high = (1 / 50, 1 / 0.05): 0.05 => 0.051000000000000004": _INTERVAL,
        "best_temperature: for _ in range(60):: range(60) => range(60 - 1)": _INTERVAL,
        "best_temperature: for _ in range(60):: range(60) => range(1, 60)": _INTERVAL,
        "best_temperature: for _ in range(60):: 60 => 61": _INTERVAL,
        "best_temperature: for _ in range(60):: 60 => 59": _INTERVAL,
        "best_temperature: slope = ((weights * scores).sum(axis=0) / weights.sum(axis=0) - own).mean(): ((weights * scores).sum(axis=0) / weights.sum(axis=0) - own).mean => ((weights * scores).sum(axis=0) / weights.sum(axis=0) - own).sum": "Only the sign of the slope is asked for.",
        "best_temperature: low, high = (b, high) if slope < 0 else (low, b): slope < 0 => slope <= 0": "Where the slope is 0, b is right on either side.",
        "best_temperature: return (1 / b, float((np.log(np.exp(b * scores).sum(axis=0)) - b * own).mean())): float => np.float16": "Three digits are asked for, and 16 bits hold them.",
    },
    "11.4": {
        "bootstrap_difference: def mean_iou(matrices: np.ndarray) -> float:: float => np.float16": "An annotation computes nothing.",
        "bootstrap_difference: matrix = matrices.sum(axis=0): matrices.sum => matrices.mean": "A factor common to hits and unions cancels out.",
    },
    "11.5": {
        "unet_sizes: deepest, lost = (0, 2 * convolutions): 0 => -1": "A deepest map without a pixel leaves no output.",
        "unet_sizes: crops.append((before - after) // 2): (before - after) // 2 => (before - after) / 2": "Both are doubled sides, so their difference is even.",
    },
    "11.7": {
        "diagnose: if report['night'].mean() > new:: report['night'].mean() > new => report['night'].mean() >= new": _BORDER,
        "diagnose: if new < 0.3:: new < 0.3 => new <= 0.3": _BORDER,
        "diagnose: if new < 0.3:: 0.3 => 0.306": _BORDER,
        "diagnose: if max(report['right'].max(), report['down'].max()) > report['down'][4] + 0.02:: max(report['right'].max(), report['down'].max()) > report['down'][4] + 0.02 => max(report['right'].max(), report['down'].max()) >= report['down'][4] + 0.02": _BORDER,
        "diagnose: if max(report['right'].max(), report['down'].max()) > report['down'][4] + 0.02:: 0.02 => 0.0204": _BORDER,
        "diagnose: if max(report['right'].max(), report['down'].max()) > report['down'][4] + 0.02:: 4 => 5": "In a network that is well, a pixel costs less than the margin.",
        "diagnose: if max(report['right'].max(), report['down'].max()) > report['down'][4] + 0.02:: 4 => 3": "In a network that is well, a pixel costs less than the margin.",
        "diagnose: if report['val'].mean() > new + 0.1:: report['val'].mean() > new + 0.1 => report['val'].mean() >= new + 0.1": _BORDER,
        "diagnose: if report['val'].mean() > new + 0.1:: 0.1 => 0.10200000000000001": _BORDER,
    },
}
