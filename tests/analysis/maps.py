"""Random label maps of regions, not of single pixels, for the tests of the analysis."""

import numpy as np

VOID = 255


def random_maps(seed, num_classes=4, size=(24, 32), void=0.05):
    """A target of rectangles, and a prediction with moved, lost and invented rectangles."""
    random = np.random.default_rng(seed)
    target = np.zeros(size, dtype=np.int64)
    prediction = np.zeros(size, dtype=np.int64)
    for _ in range(random.integers(0, 7)):
        label = int(random.integers(0, num_classes))
        top, left = int(random.integers(0, size[0])), int(random.integers(0, size[1]))
        height, width = random.integers(1, 12, 2).tolist()
        target[top : top + height, left : left + width] = label
        if random.random() < 0.8:
            moved_top, moved_left = (max(0, start + int(random.integers(-2, 3))) for start in (top, left))
            other = label if random.random() < 0.8 else int(random.integers(0, num_classes))
            prediction[moved_top : moved_top + height, moved_left : moved_left + width] = other
    target[random.random(size) < void] = VOID
    return target, prediction
