"""Mutants of lesson 1's solutions that are right, too, each with the reason: read by ``mutation``."""

# ruff: noqa: E501 (a name is a line of code)

EQUIVALENT = {
    "1.1": {
        "iou: return intersection / union if union > 0 else np.nan: intersection / union if union > 0 else np.nan => intersection / union": "0 / 0 of NumPy's numbers is NaN by itself, as is the mean of nothing",
        "iou: return intersection / union if union > 0 else np.nan: union > 0 => union >= 0": "0 / 0 of NumPy's numbers is NaN by itself",
        "iou: return intersection / union if union > 0 else np.nan: 0 => -1": "0 / 0 of NumPy's numbers is NaN by itself",
        "_union_by_hand: return both / union if union else empty: both / union if union else empty => both / union": "0 / 0 of NumPy's numbers is NaN by itself, as is the mean of nothing",
        "_with_sets: return len(first & second) / len(first | second) if first | second else float...: float => np.float16": "the value is NaN, or within the tolerance for half precision where three decimals are asked for",
        "_with_loops: return float('nan') if either == 0 else both / either: float => np.float16": "the value is NaN, or within the tolerance for half precision where three decimals are asked for",
        "_with_torch: a, b = (torch.from_numpy(one).bool().float() for one in (a, b)): torch.from_numpy(one).bool().float() => torch.from_numpy(one).bool()": "PyTorch counts booleans and divides whole numbers truly",
    },
    "1.2": {
        "_one_cell_at_a_time: return [[int(((target == i) & (prediction == j) & ~void).sum()) for j in numb...: int(((target == i) & (prediction == j) & ~void).sum()) => ((target == i) & (prediction == j) & ~void).sum()": "a number of NumPy's own type is the same number",
        "confusion_matrix: matrix = np.zeros((num_classes, num_classes), dtype=np.int64): np.zeros((num_classes, num_classes), dtype=np.int64) => np.zeros((num_classes, num_classes))": "another type of number with the same values",
    },
    "1.3": {
        "class_iou: return (iou, iou[seen].mean() if seen.any() else np.nan): iou[seen].mean() if seen.any() else np.nan => iou[seen].mean()": "0 / 0 of NumPy's numbers is NaN by itself, as is the mean of nothing",
        "_with_loops: values.append(right / (right + missed + false) if right + missed + false else...: right / (right + missed + false) if right + missed + false else float('nan') => right / (right + missed + false)": "0 / 0 of NumPy's numbers is NaN by itself",
        "_with_loops: values.append(right / (right + missed + false) if right + missed + false else...: float => np.float16": "0 / 0 of NumPy's numbers is NaN by itself",
        "_with_loops: return (values, sum(seen) / len(seen) if seen else float('nan')): float => np.float16": "the value is NaN, or within the tolerance for half precision where three decimals are asked for",
        "_with_where: np.divide(matrix.diagonal(), union, out=iou, where=union > 0) => np.divide(matrix.diagonal(), union, out=iou)": "0 / 0 of NumPy's numbers is NaN by itself",
        "_with_where: np.divide(matrix.diagonal(), union, out=iou, where=union > 0): union > 0 => union >= 0": "0 / 0 of NumPy's numbers is NaN by itself",
        "_with_where: np.divide(matrix.diagonal(), union, out=iou, where=union > 0): 0 => -1": "0 / 0 of NumPy's numbers is NaN by itself",
        "_with_where: return [iou, iou[union > 0].mean() if union.any() else np.nan]: iou[union > 0].mean() if union.any() else np.nan => iou[union > 0].mean()": "0 / 0 of NumPy's numbers is NaN by itself, as is the mean of nothing",
    },
    "1.4": {
        "_with_loops: return sum(values) / len(values) if values else float('nan'): float => np.float16": "the value is NaN, or within the tolerance for half precision where three decimals are asked for",
    },
    "1.5": {
        "_mean_by_class: both, either = (both + int((a & b).sum()), either + int((a | b).sum())): int((a & b).sum()) => (a & b).sum()": "another type of number with the same values",
        "_mean_by_class: both, either = (both + int((a & b).sum()), either + int((a | b).sum())): int((a | b).sum()) => (a | b).sum()": "another type of number with the same values",
        "_mean_by_class: return sum(values) / len(values) if values else float('nan'): float => np.float16": "the value is NaN, or within the tolerance for half precision where three decimals are asked for",
    },
    "1.6": {
        "precision_recall: precision = hits / detections if detections > 0 else np.nan: hits / detections if detections > 0 else np.nan => hits / detections": "0 / 0 of NumPy's numbers is NaN by itself, as is the mean of nothing",
        "precision_recall: precision = hits / detections if detections > 0 else np.nan: detections > 0 => detections >= 0": "0 / 0 of NumPy's numbers is NaN by itself, as is the mean of nothing",
        "precision_recall: precision = hits / detections if detections > 0 else np.nan: 0 => -1": "0 / 0 of NumPy's numbers is NaN by itself",
        "precision_recall: recall = hits / num_positives if num_positives > 0 else np.nan: hits / num_positives if num_positives > 0 else np.nan => hits / num_positives": "0 / 0 of NumPy's numbers is NaN by itself, as is the mean of nothing",
        "precision_recall: recall = hits / num_positives if num_positives > 0 else np.nan: num_positives > 0 => num_positives >= 0": "0 / 0 of NumPy's numbers is NaN by itself, as is the mean of nothing",
        "precision_recall: recall = hits / num_positives if num_positives > 0 else np.nan: 0 => -1": "0 / 0 of NumPy's numbers is NaN by itself",
        "_with_loops: precision = true_positives / found if found else float('nan'): float => np.float16": "the value is NaN, or within the tolerance for half precision where three decimals are asked for",
        "_with_loops: recall = true_positives / (true_positives + missed) if num_positives else flo...: float => np.float16": "the value is NaN, or within the tolerance for half precision where three decimals are asked for",
    },
    "1.7": {
        "_with_torch: hits = matches[matches >= 0].cumsum(0): 0 => -1": "the only axis is also the last one",
        "_with_misses: return np.stack([true / np.maximum(true + false, 1), true / (true + (num_posi...: 1 => 0": "0 / 0 is NaN only before the first detection that counts, and these points are taken out",
    },
    "1.8": {
        "_with_loops: levels, total, previous = ([number / 10 for number in range(11)], 0.0, 0.0): 11 => 12": "no recall reaches 1.1: the twelfth level adds 0, and the sum is divided by 11",
        "_with_torch: envelope = torch.cummax(precision.flip(0), 0).values.flip(0) if len(precision...: torch.cummax(precision.flip(0), 0).values.flip(0) if len(precision) else prec... => torch.cummax(precision.flip(0), 0).values.flip(0)": "the only axis is also the last one",
        "_with_torch: envelope = torch.cummax(precision.flip(0), 0).values.flip(0) if len(precision...: 0 => -1": "the only axis is also the last one",
        "_with_torch: envelope = torch.cummax(precision.flip(0), 0).values.flip(0) if len(precision...: 0 => -1 (2)": "the only axis is also the last one",
        "_with_torch: envelope = torch.cummax(precision.flip(0), 0).values.flip(0) if len(precision...: 0 => -1 (3)": "the only axis is also the last one",
        "_with_torch: return (torch.diff(recall, prepend=torch.zeros(1, dtype=recall.dtype)) * enve...: torch.zeros(1, dtype=recall.dtype) => torch.zeros(1)": "PyTorch divides whole numbers truly, and single precision is within the tolerance",
        "_with_torch: padded = torch.cat([envelope, torch.zeros(1, dtype=envelope.dtype)]): torch.zeros(1, dtype=envelope.dtype) => torch.zeros(1)": "PyTorch divides whole numbers truly, and single precision is within the tolerance",
        "_with_torch: padded = torch.cat([envelope, torch.zeros(1, dtype=envelope.dtype)]): 1 => 2": "a second 0 at the end is never read",
        "_as_the_voc_kit: recall, precision = (np.concatenate([[0], recall, [1]]), np.concatenate([[0],...: 1 => 2": "any recall beyond the last one, with precision 0, gives the same area and levels",
        "_as_the_voc_kit: recall, precision = (np.concatenate([[0], recall, [1]]), np.concatenate([[0],...: 0 => -1 (2)": "below any precision there is, so the envelope covers it",
        "_as_the_voc_kit: for number in range(len(precision) - 2, -1, -1):: 2 => 3": "the last precision is the sentinel 0, or is compared with itself by the index -1",
        "_as_the_voc_kit: for number in range(len(precision) - 2, -1, -1):: 1 => 0": "the last precision is the sentinel 0, or is compared with itself by the index -1",
    },
    "1.9": {
        "match_detections: free = np.ones(num_objects, dtype=bool): np.ones(num_objects, dtype=bool) => np.ones(num_objects)": "another type of number with the same values",
        "_columns_removed: hits.append(int(best)): int(best) => best": "another type of number with the same values",
        "_columns_removed: left[:, best] = -1: 1 => 2": "any negative number marks a taken object",
        "_columns_removed: left[:, best] = -1: 1 => 0": "a taken object then has the IoU 0, and no case has a threshold that 0 reaches for it",
        "_columns_removed: hits.append(int(best)): int => np.uint8": "another type of number with the same values",
        "_with_torch: left = torch.from_numpy(overlaps.copy()).flip(1): overlaps.copy() => overlaps": "the copy that the check hands over may be changed where it is not looked at, or is not changed",
        "_with_torch: place = int((row == row.max()).nonzero()[0]): int((row == row.max()).nonzero()[0]) => (row == row.max()).nonzero()[0]": "another type of number with the same values",
        "_with_torch: left[:, place] = -1: 1 => 2": "any negative number marks a taken object",
        "_with_torch: left[:, place] = -1: 1 => 0": "a taken object then has the IoU 0, and no case has a threshold that 0 reaches for it",
    },
    "1.10": {
        "_with_loops: return float('nan'): float => np.float16": "the value is NaN, or within the tolerance for half precision where three decimals are asked for",
        "_with_torch: return variants.general(scores, overlaps, ap=ap): variants.general(scores, overlaps, ap=ap) => variants.general(scores, overlaps)": "the alternative's own AP is replaced by the same one of the module",
    },
    "1.12": {
        "_pixel_by_pixel: return len(first & second) / len(first | second) if first | second else float...: float => np.float16": "the value is NaN",
        "_step_by_step: return (both[0] & both[1]).sum() / either if either else np.nan: (both[0] & both[1]).sum() / either if either else np.nan => (both[0] & both[1]).sum() / either": "0 / 0 of NumPy's numbers is NaN by itself",
        "_with_torch: first, second = (pictures * near)[:, 0]: 0 => -1": "the only channel is also the last one",
    },
}
