"""A local page that shows the tags of a photograph by each loss, side by side."""

from __future__ import annotations

from pathlib import Path

from tfrecords_tools.errors import InputError
from tfrecords_tools.extras import requires
from warptag.annotation.output import choose_tags
from warptag.annotation.tagger import Tagger
from warptag.methods import LOSSES, method_of
from warptag.training.run_folder import SETTINGS, load_settings


def find_taggers(models: Path) -> dict[str, Tagger]:
    """The runs of the losses in a folder such as results/scenes/models, by the method's label.

    Raises:
        InputError: the folder has no run, or a run cannot be used.
    """
    folders = [models / loss for loss in LOSSES if (models / loss / SETTINGS).exists()]
    found = {
        method_of(load_settings(folder, needs=("loss", "network"))).label: Tagger(folder)
        for folder in folders
    }
    if not found:
        raise InputError(
            f"{models} has no trained run; expected at least one of the folders "
            f"{', '.join(LOSSES)} in it, such as results/scenes/models after `bash reproduce.sh`"
        )
    return found


def make_page(taggers: dict[str, Tagger], topk: int = 5):
    """The page, a `gradio.Blocks` that is not yet running.

    Args:
        taggers: label of a method -> its run.
        topk: number of tags per loss.

    Raises:
        MissingExtraError: Gradio is not installed.
    """
    with requires("demo"):
        import gradio

    def tag(path: str | None) -> list[list[list[str]]]:
        if path is None:
            return [[] for _ in taggers]
        try:
            return [rows(tagger, Path(path), topk) for tagger in taggers.values()]
        except InputError as error:
            # The path is that of Gradio's copy.
            raise gradio.Error(str(error).replace(path, "The file")) from error

    with gradio.Blocks(title="warptag", analytics_enabled=False) as page:
        gradio.Markdown(
            "# Tags for a photograph\n\nBy networks that differ only in the loss they were trained "
            "with. Probabilities are calibrated on validation images; scores of different losses "
            "cannot be compared."
        )
        # Without an image mode, Gradio passes the file on unchanged; the run prepares it.
        image = gradio.Image(
            label="Photograph",
            sources=["upload", "clipboard"],
            type="filepath",
            image_mode=None,
            height=360,
        )
        with gradio.Row():
            tables = [
                gradio.Dataframe(
                    label=label,
                    headers=["tag", "probability", "score"],
                    datatype="str",
                    interactive=False,
                    row_count=topk,
                    buttons=[],
                )
                for label in taggers
            ]
        image.change(tag, image, tables)
    return page


def rows(tagger: Tagger, path: Path, topk: int) -> list[list[str]]:
    """The best tags of an image file as table rows.

    Raises:
        InputError: the file cannot be read as an image.
    """
    [annotation] = tagger.annotate([path])
    if annotation.error is not None:
        raise annotation.error
    tags = choose_tags(annotation, tagger.tag_names, topk, None)
    return [[tag.name, tag.percent, f"{tag.score:.2f}"] for tag in tags]


def start(page, port: int) -> str:
    """Serves the page to this machine only, in the background, and returns its address.

    Raises:
        InputError: the port is in use.
    """
    import gradio

    # Fonts of the system: the theme's own would be fetched from the network.
    theme = gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"])
    try:
        _, address, _ = page.launch(
            server_name="127.0.0.1",
            server_port=port,
            share=False,
            theme=theme,
            footer_links=[],
            quiet=True,
            prevent_thread_lock=True,
        )
    except OSError as error:
        raise InputError(f"port {port} cannot be used ({error})") from error
    return address
