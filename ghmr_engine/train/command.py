"""The commands of `ghmr` that train: film, train and train-priors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ghmr_engine.evaluate.command import body, shown

# PyTorch takes seconds to load: each command imports what it needs when it runs, so that --help does without.

_Mocap = Annotated[Path, typer.Argument(help="Folder of motion capture: .amc, .bvh, .npz (AMASS) or .txt, any depth.")]


def add_training(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("film")(film_command)
    app.command("train")(train_command)
    app.command("train-priors")(train_priors_command)


def film_command(
    mocap: _Mocap,
    out: Annotated[Path, typer.Option(help="Folder for the clips and what is true of them.")],
    blender: Annotated[str | None, typer.Option(help="A Blender program; none: Blender as a Python module.")] = None,
) -> None:
    """Film motion capture in short clips, on which `ghmr train` sees the landmark detector's errors."""
    with shown() as report:
        from ghmr_engine.train.filming import film

        film(mocap, out, body(), blender, report)
    typer.echo(f"The clips are in {out}.")


def train_command(
    mocap: _Mocap,
    out: Annotated[Path, typer.Option(help="Folder for lift.safetensors, the curves, and what is needed to go on.")],
    filmed: Annotated[
        Path | None, typer.Option(help="Folder of `ghmr film`; none: errors as they were measured.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Batches to train on.")] = 6000,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    begin: Annotated[Path | None, typer.Option(help="Weights to go on from; none: from the start.")] = None,
) -> None:
    """Train the lifting network. Stopped, the same command goes on where it was."""
    with shown() as report:
        from ghmr_engine.device import choose_device
        from ghmr_engine.train.run import train_from

        made = train_from(mocap, filmed, out, steps, choose_device(device), body(), report, begin)
    typer.echo("\n".join(f"Wrote {path}." for path in made))


def train_priors_command(
    mocap: _Mocap,
    out: Annotated[Path, typer.Option(help="Folder for the weights, the curves, and what is needed to go on.")],
    steps: Annotated[int, typer.Option(help="Batches to train each prior on.")] = 6000,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train the motion prior and the pose prior. Stopped, the same command goes on where it was."""
    with shown() as report:
        from ghmr_engine.device import choose_device
        from ghmr_engine.train.priors import train_priors_from

        made = train_priors_from(mocap, out, steps, choose_device(device), body(), report)
    typer.echo("\n".join(f"Wrote {path}." for path in made))
