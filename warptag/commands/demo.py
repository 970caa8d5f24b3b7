"""`warptag demo`: a local page that tags photographs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tfrecords_tools.errors import InputError
from tfrecords_tools.options import PATH
from warptag.commands.common import import_tensorflow


@click.command()
@click.argument("models", type=PATH, default=Path("results/scenes/models"))
@click.option(
    "--topk", type=click.IntRange(1, 1000), default=5, show_default=True, help="Tags per loss."
)
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
def demo(models: Path, topk: int, port: int) -> None:
    """Serve a page that shows the tags of a photograph by each run in MODELS, one per loss, side by
    side; MODELS is results/scenes/models by default.

    It needs the extra `demo`. The page can only be opened on this machine.

    \b
    Example:
      warptag demo results/corel5k/models
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import_tensorflow()
    from warptag.annotation.demo import find_taggers, make_page, start

    page = make_page(find_taggers(models), topk)
    try:
        address = start(page, port)
    except InputError as error:
        raise InputError(f"{error}; choose another --port") from error
    click.echo(f"The page is at {address} until this command is stopped (Ctrl+C)")
    page.block_thread()
