"""`warptag export`: a trained run for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from tfrecords_tools.errors import InputError
from tfrecords_tools.options import PATH
from warptag.commands.common import import_tensorflow

FORMATS = ("savedmodel", "onnx", "litert", "keras")


@click.command()
@click.argument("run", type=PATH)
@click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    help="May be given several times; default all whose packages are installed.",
)
@click.option("--output", type=PATH, help="Folder; default RUN/export.")
def export(run: Path, formats: tuple[str, ...], output: Path | None) -> None:
    """Export the model of the trained RUN for other programs, with a model card.

    The exported model takes a photograph of any size, uint8 pixels (1, height, width, 3), and
    returns raw scores and probabilities of the tags in tags.txt. Its outputs are compared with
    those of Keras. ONNX and LiteRT need: pip install 'warptag[export]'

    \b
    Examples:
      warptag export results/scenes/models/warp
      warptag export RUN --format onnx --format litert --output my-model
    """
    import_tensorflow()
    from warptag.exporting.export import FormatError, OutputError, export_run
    from warptag.exporting.formats import FORMATS as WRITERS
    from warptag.exporting.model_card import MODEL_CARD

    chosen = list(dict.fromkeys(formats))
    if not chosen:
        chosen = [name for name in FORMATS if WRITERS[name].is_installed()]
        for name in FORMATS:
            if name not in chosen:
                click.echo(f"{name} is left out; it needs pip install 'warptag[export]'", err=True)
    output = output or run / "export"
    try:
        differences = export_run(run, chosen, output)
    except FormatError as error:
        raise InputError(f"{error}; choose another --format") from error
    except OutputError as error:
        raise InputError(f"{error}; choose another --output") from error
    for name, difference in differences.items():
        path = output / WRITERS[name].file
        click.echo(f"{path}: differs from Keras by at most {difference:.1e}")
    click.echo(f"{output / MODEL_CARD}: what the model is, and how to load it")
