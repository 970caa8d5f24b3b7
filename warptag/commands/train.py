"""`warptag train`: one network, on whatever hardware there is."""

from __future__ import annotations

import click

from warptag.commands.common import import_tensorflow, train_from_options, training_options

STRATEGIES = ("auto", "mirrored", "parameter-server", "multi-worker")


@click.command()
@training_options
@click.option(
    "--strategy",
    type=click.Choice(STRATEGIES),
    default="auto",
    show_default=True,
    help="auto: what TF_CONFIG describes, else all GPUs or the CPU of this machine.",
)
def train(**options) -> None:
    """Train the network of EXPERIMENT (scenes, corel5k, nuswide, or folder for photographs of your
    own), or go on where it stopped.

    The same command given again goes on from the last checkpoint. On several machines the same
    command is given on each, with TF_CONFIG.

    \b
    Examples:
      warptag train scenes --loss warp --set epochs=4
      warptag train folder --input PHOTOS --output MINE
      warptag train corel5k --records RECORDS --output RUN --set learning_rate=0.01
      warptag train scenes --backbone MobileNetV2 --set crop_size=64
    """
    import_tensorflow()
    from warptag.training.server import serve
    from warptag.training.strategy import task_of

    task = task_of(options["strategy"])
    if task is not None and task.serves:
        serve(task)
    train_from_options(**options)
