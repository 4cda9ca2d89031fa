"""Running a claim's experiment, and the file that keeps what came out: command, versions, seeds, date, every number."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from segtutor import __version__, compute, resources
from segtutor.bars import tqdm
from segtutor.claims.claim import Claim, Values
from segtutor.files import replacing


@dataclass(frozen=True)
class Results:
    """What an experiment gave.

    Attributes:
        claim: Name of the claim.
        runs: Variant -> one dictionary of values per seed.
        seeds: The seeds.
        short: Whether it was the short version that a lesson runs.
        about: The command, date and versions that made it; the precision and the kind of processor, if it trains.
    """

    claim: str
    runs: dict[str, list[Values]]
    seeds: tuple[int, ...]
    short: bool = False
    about: dict[str, Any] = field(default_factory=dict)

    def mean_and_spread(self, variant: str, key: str) -> tuple[float, float]:
        """Mean over the seeds, and half the distance from the lowest to the highest."""
        values = [float(run[key]) for run in self.runs[variant]]
        return float(np.mean(values)), float(np.ptp(values) / 2)


def file_of(name: str) -> str:
    """File name of a claim's results, ``fcn_skips.json``."""
    return f"{name.replace('.', '_')}.json"


def reproduce(
    claim: Claim,
    seeds: Sequence[int] | None = None,
    *,
    short: bool = False,
    memory: str | Path | None = None,
    progress: bool = True,
    precision: str = "auto",
) -> Results:
    """Run the experiment of a claim.

    Everything runs on one thread of the processor, so that the same machine gives the same numbers.

    Args:
        claim: The claim.
        seeds: None takes the claim's own; of the short version, the first of them.
        short: A version of a minute or less, from the course's pretrained backbone: it shows how, not how much.
        memory: Folder that keeps finished runs, so that an interrupted experiment goes on where it was, and claims
            that share a run train it once. A run is found again by its variant's settings and the versions.
        progress: Show a progress bar.
        precision: In which networks are trained, all of them: "float32", "bfloat16", or "auto" for what
            ``compute.choose_precision`` chooses for this processor. Results are recorded with it.
    """
    if precision not in compute.PRECISIONS:
        raise ValueError(f"precision is {precision!r}, but must be one of {', '.join(compute.PRECISIONS)}")
    seeds = tuple(claim.seeds[:1] if short else claim.seeds) if seeds is None else tuple(seeds)
    if not seeds:
        raise ValueError(f"{claim.name} needs at least one seed, as 0, 1, 2")
    folder = None if memory is None else Path(memory)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    chosen = compute.choose_precision("cpu").name if precision == "auto" else precision
    experiments = {
        name: one.in_precision(chosen) if hasattr(one, "in_precision") else one for name, one in claim.variants.items()
    }
    trains = any(hasattr(one, "in_precision") for one in claim.variants.values())
    runs: dict[str, list[Values]] = {variant: [] for variant in experiments}
    progress_bar = tqdm(total=len(seeds) * len(runs), desc=claim.name, unit="run", disable=not progress)
    with compute.threads(1), progress_bar as bar:
        for seed in seeds:
            for variant, experiment in experiments.items():
                bar.set_postfix_str(f"seed {seed}, {variant}")
                runs[variant].append(_run(experiment, seed, short, folder))
                bar.update()
    return Results(claim.name, runs, seeds, short, _about(claim, seeds, short, chosen if trains else None))


def _run(experiment: Any, seed: int, short: bool, folder: Path | None) -> Values:
    """One run, from the memory if it is there."""
    recipe = repr(experiment.shortened() if short and hasattr(experiment, "shortened") else experiment)
    if folder is None or " at 0x" in recipe:  # a plain function does not tell its settings, and takes no time
        return _plain(experiment(seed, short))
    key = f"{recipe}|{seed}|{short}|{__version__}|{torch.__version__}"
    file = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.json"
    if file.exists():
        kept: Values = json.loads(file.read_text(encoding="utf-8"))["values"]
        return kept
    values = _plain(experiment(seed, short))
    with replacing(file) as temporary:
        temporary.write_text(json.dumps({"run": key, "values": values}), encoding="utf-8")
    return values


def _plain(values: Values) -> Values:
    """Numbers with six significant digits, as the file keeps them."""
    return {key: value if isinstance(value, list) else float(f"{value:.6g}") for key, value in values.items()}


def _about(claim: Claim, seeds: tuple[int, ...], short: bool, precision: str | None) -> dict[str, Any]:
    words = ["segtutor reproduce", claim.name]
    words += ["--short"] if short else []
    words += ["--seeds", *map(str, seeds)] if seeds != claim.seeds else []
    words += ["--precision", precision] if precision else []
    trained = {"precision": precision, "processor": str(compute.processor())} if precision else {}
    return {
        "command": " ".join(words),
        **trained,
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"segtutor": __version__, "torch": str(torch.__version__), "python": platform.python_version()},
    }


def write(results: Results, path: str | Path) -> None:
    """Write results as a JSON file, whole or not at all."""
    content = {"claim": results.claim, **results.about, "short": results.short, "seeds": list(results.seeds)}
    columns = {variant: _columns(runs) for variant, runs in results.runs.items()}
    there = {key for of_variant in columns.values() for key, values in of_variant.items() if _says_something(values)}
    # A measure is a line, with a number per seed: all in JSON's own layout, every step of a curve would be four. What a
    # variant lacks is left out if another has it, from which ``read`` knows that it is missing.
    listed = ",\n".join(
        f"  {json.dumps(variant)}: {{\n"
        + ",\n".join(
            f"   {json.dumps(key)}: {json.dumps(values)}"
            for key, values in of_variant.items()
            if _says_something(values) or key not in there
        )
        + "\n  }"
        for variant, of_variant in columns.items()
    )
    text = json.dumps(content, indent=1).removesuffix("\n}") + f',\n "runs": {{\n{listed}\n }}\n}}\n'
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _columns(runs: Sequence[Values]) -> dict[str, list[Any]]:
    """A variant's runs as the file has them: the values of all seeds by measure."""
    keys = dict.fromkeys(key for run in runs for key in run)
    columns = {key: [run.get(key, float("nan")) for run in runs] for key in keys}
    return {key: [None if value != value else value for value in values] for key, values in columns.items()}


def _says_something(values: Sequence[Any]) -> bool:
    return any(value is not None for value in values)  # JSON knows no NaN


def _rows(of_variant: Any, numbers: Sequence[str], count: int) -> list[Values]:
    """A variant's runs out of the file.

    Args:
        of_variant: Values of all seeds by measure; older files list a dictionary per run.
        numbers: The measures that any variant has; NaN where this one has none.
        count: Of seeds.
    """
    if isinstance(of_variant, list):
        return [{key: float("nan") if value is None else value for key, value in run.items()} for run in of_variant]
    columns = {**dict.fromkeys(numbers, [None] * count), **of_variant}
    return [
        {key: float("nan") if value is None else value for key, value in zip(columns, values, strict=True)}
        for values in zip(*columns.values(), strict=True)
    ]


def read(path: str | Path) -> Results:
    """Results from a file that ``write`` wrote.

    Raises:
        ValueError: If it is no such file.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        about = {key: content[key] for key in ("command", "date", "versions")}
        about |= {key: content[key] for key in ("precision", "processor") if key in content}
        seeds, found = tuple(content["seeds"]), content["runs"]
        columns = [column for one in found.values() if isinstance(one, dict) for column in one.items()]
        numbers = [key for key, values in columns if not isinstance(values[0], list)]
        runs = {variant: _rows(one, numbers, len(seeds)) for variant, one in found.items()}
        return Results(content["claim"], runs, seeds, bool(content["short"]), about)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{path} is no file of results of a claim; `segtutor reproduce CLAIM` writes one") from None


def recorded(claim: Claim) -> Results:
    """The results that come with the course.

    Raises:
        FileNotFoundError: If the experiment has not been run yet.
    """
    return read(resources.data("results", file_of(claim.name)))
