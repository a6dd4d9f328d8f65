"""The commands of `ghmr` that make ground truth and measure: render-truth, render-suite, evaluate, bench."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ghmr_engine import protocol
from ghmr_engine.errors import Cancelled, RecoverError
from ghmr_engine.evaluate.shot import Shot
from ghmr_engine.interrupt import interrupt_as_wish
from ghmr_engine.motion_file import MotionFileError
from ghmr_engine.progress import Progress
from ghmr_engine.terminal import JOB, Bars, fail, options_as_parameters, say_error

if TYPE_CHECKING:
    from ghmr_engine.body.smpl import Body

# PyTorch takes seconds to load: each command imports what it needs when it runs, so that --help does without.

_Blender = Annotated[
    str | None, typer.Option(help="A Blender program; none: Blender as a Python module, as set-up installs it.")
]
_Out = Annotated[Path, typer.Option(help="Folder for what is made.")]


def add_evaluation(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("render-truth")(render_truth_command)
    app.command("render-suite")(render_suite_command)
    app.command("evaluate")(evaluate_command)
    app.command("bench")(bench_command)
    app.command("time-solvers")(time_solvers_command)


@options_as_parameters(Shot)
def render_truth_command(
    motion: Annotated[Path, typer.Argument(help="Motion capture: .amc, .bvh, .npz (AMASS) or .txt.")],
    out: _Out,
    second: Annotated[Path | None, typer.Option(help="Motion capture of a second person.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the clip; none: motion and camera.")] = None,
    blender: _Blender = None,
    **chosen: Any,
) -> None:
    """Render motion capture as a clip, NAME.mp4, with all that is true of it, NAME.truth.npz."""
    with shown() as report:
        shot = Shot(**chosen)
        from ghmr_engine.evaluate.mocap import read_capture
        from ghmr_engine.evaluate.render import render_truth

        captures = [read_capture(path) for path in (motion, second) if path is not None]
        called = name or f"{captures[0].name}_{shot.camera}"
        made = render_truth(captures, shot, out, called, body(), blender, lambda done: report(called, done))
    typer.echo("\n".join(f"Wrote {path}." for path in made))


def render_suite_command(
    mocap: Annotated[Path, typer.Argument(help="Folder with asfamc, expmap and humanoid.")],
    out: _Out,
    suite: Annotated[str, typer.Option(help="world (the benchmark) or regression (what the tests recover).")] = "world",
    blender: _Blender = None,
) -> None:
    """Render every clip of a suite that is not in the folder yet."""
    with shown() as report:
        from ghmr_engine.evaluate.suite import render_suite

        render_suite(suite, mocap, out, body(), blender, report)
    typer.echo(f"The suite is in {out}.")


def evaluate_command(
    predicted: Annotated[Path, typer.Argument(help="A motion file.")],
    truth: Annotated[Path, typer.Argument(help="The truth of the same clip, NAME.truth.npz.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a motion file against the truth."""
    with shown():
        from ghmr_engine.evaluate.compare import evaluate_files, table

        report = evaluate_files(predicted, truth)
    typer.echo(json.dumps(report.as_dict(), allow_nan=False) if as_json else table(report))


def bench_command(
    suite: Annotated[
        Path | None, typer.Argument(help="Folder of clips with their truth; none: the three of the regression suite.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for bench.md, bench.csv and bench.png.")] = Path(),
    methods: Annotated[str | None, typer.Option(help="Some of them, with commas between; none: all.")] = None,
) -> None:
    """Recover every clip of a suite by every method, and print one table."""
    with shown() as report:
        from ghmr_engine.evaluate import bench, bench_picture
        from ghmr_engine.evaluate.methods import METHODS
        from ghmr_engine.evaluate.suite import REGRESSION

        _check_folder(out)
        chosen = tuple(methods.split(",")) if methods else METHODS
        rows = bench.run_suite(suite or REGRESSION, chosen, report)
        text = bench.table(rows)
        (out / "bench.md").write_text(text + "\n", encoding="utf-8")
        bench.write_csv(rows, out / "bench.csv")
        drawn = bench_picture.draw(rows, out / "bench.png")
    typer.echo(text)
    picture = "bench.png" if drawn else "no picture: install matplotlib for one"
    typer.echo(f"\nWrote bench.md, bench.csv and {picture} in {out}.")


def _check_folder(out: Path) -> None:
    if not out.is_dir():
        raise RecoverError("bad_out", f"There is no folder {out}.", "Make it, or choose another with --out.")


@contextmanager
def shown() -> Iterator[Callable[[str, float], None]]:
    """Inside, a function that shows what is being done, and the share that is; failures end in one line."""
    bars = Bars()

    def last_words() -> None:
        bars.close()
        stopped = protocol.error_reply(JOB, Cancelled())
        say_error(stopped.message, stopped.fix)

    try:
        with closing(bars), interrupt_as_wish(last_words) as wish:

            def report(what: str, done: float) -> None:
                if wish.is_set():
                    raise Cancelled
                bars(Progress(what, done, None))

            yield report
    except MotionFileError as error:
        fail(RecoverError("bad_file", str(error), ""))
    except Exception as error:  # noqa: BLE001  every failure ends in one line and a code
        fail(error)


def body() -> Body:
    """The open body, on the CPU. Raises RecoverError."""
    from ghmr_engine import places
    from ghmr_engine.body.smpl import load_body

    return load_body(places.body_path(), "cpu")


def time_solvers_command(
    video: Annotated[Path, typer.Argument(help="A clip.")],
) -> None:
    """Refine a clip with our solver and with SLAHMR's published schedule, on the same energy: seconds of each. Takes
    minutes."""
    with shown() as report:
        from ghmr_engine.evaluate.published import race

        ours, theirs = race(video, lambda done: report(video.name, done))
    for name, run in (("ours", ours), ("published", theirs)):
        typer.echo(f"{name:10s} {run.seconds:8.1f} s   energy {run.energy:10.1f}   {run.looks} looks")
    typer.echo(f"{theirs.seconds / ours.seconds:.0f} times as fast")
