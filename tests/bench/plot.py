"""Plots docs/performance.md: `-m tests.bench.plot docs/frames.json docs/frames.svg`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_LOOM, _OTHERS = "#3949ab", "#b0bec5"
_PANELS = {
    "load flat": "loading flat documents",
    "load nested": "loading nested documents",
    "store": "storing rows",
}


def main(source: Path, target: Path) -> None:
    """Draw the ratios of the results of a benchmark as bars."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    results: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    pyplot.rcParams["svg.hashsalt"] = "loom"  # makes the file reproducible
    heights = [len(results[key]) for key in _PANELS]
    figure, axes = pyplot.subplots(
        len(_PANELS), 1, figsize=(8, 0.38 * sum(heights) + 1.6), height_ratios=heights
    )
    for axis, (key, title) in zip(axes, _PANELS.items(), strict=True):
        names, ratios = list(results[key]), list(results[key].values())
        is_other = [name == "legacy" or name.startswith("pymongoarrow") for name in names]
        bars = axis.barh(names, ratios, color=[_OTHERS if other else _LOOM for other in is_other])
        axis.bar_label(bars, fmt="%.2f ×", padding=4)
        axis.invert_yaxis()
        axis.set_title(f"{title}, relative to pymongoarrow", loc="left", fontsize=10)
        axis.set_xlim(0, max(ratios) * 1.15)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
