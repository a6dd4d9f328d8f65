"""The benchmark as one picture: a panel a measure, a bar a method, a dot a clip."""

from __future__ import annotations

from pathlib import Path

from ghmr_engine.evaluate.bench import COLUMNS, Row, averages

_PANELS = (
    "PA-MPJPE", "MPJPE", "WA-MPJPE100", "W-MPJPE100", "RTE", "jitter", "sliding", "penetration", "contact F1",
    "camera turn", "camera path", "frames/s",
)  # fmt: skip
_HIGHER_IS_BETTER = ("contact F1", "frames/s")


def draw(rows: list[Row], path: Path) -> bool:
    """Write the picture as PNG; False where matplotlib, which draws it, is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    means = averages(rows)
    methods = list(means)
    colours = {method: f"C{place}" for place, method in enumerate(methods)}
    figure = Figure(figsize=(15, 9), layout="constrained")
    for axes, head in zip(figure.subplots(3, 4).flat, _PANELS, strict=True):
        unit, digits, value = COLUMNS[head]
        for place, method in enumerate(methods):
            mean = means[method][head]
            if mean is None:
                continue
            axes.bar(place, mean, color=colours[method], alpha=0.55)
            axes.text(place, mean, f"{mean:.{digits}f}", ha="center", va="bottom", fontsize=8)
            dots = [found for row in rows if row.method == method and (found := value(row)) is not None]
            axes.scatter([place + 0.28] * len(dots), dots, s=7, color="0.25", linewidths=0)
        better = "higher is better" if head in _HIGHER_IS_BETTER else "lower is better"
        axes.set_title(f"{head}{f' [{unit}]' if unit else ''}, {better}", fontsize=9)
        axes.set_xticks(range(len(methods)), methods, fontsize=8)
        axes.tick_params(axis="y", labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    clips = len({row.clip for row in rows})
    figure.suptitle(f"Means over {clips} clips; each dot is a clip", fontsize=10)
    figure.savefig(path, dpi=110)
    return True
