"""`warptag export`: a trained run for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from warptag.commands.common import import_tensorflow

FORMATS = ("savedmodel", "onnx", "litert", "keras")


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    help="May be given often; default all whose packages are installed.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Folder; default RUN/export.")
def export(run: Path, formats: tuple[str, ...], output: Path | None) -> None:
    """The model of the trained RUN for other programs, with a model card.

    It takes a photograph of any size as it is, uint8 pixels (1, height, width, 3), and gives raw
    scores and probabilities of the tags in tags.txt. Each file is run again and compared with
    Keras. ONNX and LiteRT need: pip install 'warptag[export]'

    \b
    Examples:
      warptag export results/scenes/models/warp
      warptag export RUN --format onnx --format litert --output my-model
    """
    import_tensorflow()
    from warptag import exporting

    chosen = list(dict.fromkeys(formats))
    if not chosen:
        chosen = [name for name in FORMATS if exporting.FORMATS[name].is_installed()]
        for name in FORMATS:
            if name not in chosen:
                click.echo(f"{name} is left out; it needs: pip install 'warptag[export]'", err=True)
    exporting.export_run(run, chosen, output or run / "export", say=click.echo)
