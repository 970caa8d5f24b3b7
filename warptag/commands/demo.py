"""`warptag demo`: a local page that tags photographs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from warptag.commands.common import import_tensorflow


@click.command()
@click.argument("models", type=click.Path(path_type=Path), default=Path("results/scenes/models"))
@click.option("--topk", type=click.IntRange(1), default=5, show_default=True, help="Tags of each.")
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
def demo(models: Path, topk: int, port: int) -> None:
    """Open a page on this machine where one drops a photograph and sees the tags that the runs in
    MODELS give it, one a loss, side by side; MODELS is results/scenes/models by default.

    It needs the extra `demo`. Nobody outside this machine can reach the page.

    \b
    Example:
      warptag demo results/corel5k/models
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import_tensorflow()
    from warptag.annotation.demo import find_taggers, make_page, start

    page = make_page(find_taggers(models), topk)
    click.echo(f"The page is at {start(page, port)} until this command is stopped (Ctrl+C)")
    page.block_thread()
