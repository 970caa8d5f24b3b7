"""A local page: drop a photograph, and see the tags of each loss side by side."""

from __future__ import annotations

from pathlib import Path

from tfrecords_tools.errors import InputError
from warptag.annotation.output import choose_tags
from warptag.annotation.tagger import Tagger

#: Folder of a run -> how the page calls it.
LOSSES = {"softmax": "Softmax", "ranking": "Pairwise ranking", "warp": "WARP"}
HEADERS = ["tag", "probability", "score"]


def find_taggers(models: Path) -> dict[str, Tagger]:
    """The runs of each loss in a folder such as results/scenes/models, by name.

    Raises:
        InputError: there is none, or one of them cannot be used.
    """
    found = {
        name: Tagger(models / loss)
        for loss, name in LOSSES.items()
        if (models / loss / "settings.json").exists()
    }
    if not found:
        raise InputError(
            f"{models} holds no trained run; expected folders {', '.join(LOSSES)} in it, as "
            "`bash reproduce.sh` makes them in results/scenes/models"
        )
    return found


def make_page(taggers: dict[str, Tagger], topk: int = 5):
    """The page, a `gradio.Blocks`, not started yet.

    Args:
        taggers: the name of a loss -> its run.
        topk: tags of each.

    Raises:
        InputError: the extra `demo` is not installed.
    """
    try:
        import gradio
    except ImportError as error:
        raise InputError(
            "the demo needs Gradio; install it with pip install 'warptag[demo]'"
        ) from error

    def tag(path: str | None) -> list[list[list[str]]]:
        if path is None:
            return [[] for _ in taggers]
        try:
            return [rows(tagger, Path(path), topk) for tagger in taggers.values()]
        except InputError as error:
            # The name is that of a copy that Gradio made.
            raise gradio.Error(str(error).replace(path, "The file")) from error

    with gradio.Blocks(title="warptag", analytics_enabled=False) as page:
        gradio.Markdown(
            "# Tags for a photograph\n\nBy networks that differ only in the loss they were trained "
            "with. The probability is calibrated on validation images; scores of different losses "
            "cannot be compared."
        )
        image = gradio.Image(label="Photograph", sources=["upload", "clipboard"], height=360)
        # The file as it is: the run checks and prepares it as it did its own images. Gradio would
        # decode it, and knows no subclass of its components.
        setattr(image, "preprocess", lambda payload: payload and payload.path)  # noqa: B010
        with gradio.Row():
            tables = [
                gradio.Dataframe(
                    label=name,
                    headers=HEADERS,
                    datatype="str",
                    interactive=False,
                    row_count=topk,
                    buttons=[],
                )
                for name in taggers
            ]
        image.change(tag, image, tables)
    return page


def rows(tagger: Tagger, path: Path, topk: int) -> list[list[str]]:
    """The tags of an image file as texts, best first.

    Raises:
        InputError: it cannot be read as an image.
    """
    [annotation] = tagger.annotate([path])
    if annotation.error is not None:
        raise annotation.error
    return [
        [
            tag.name,
            "-" if tag.probability is None else f"{100 * tag.probability:.1f} %",
            f"{tag.score:.2f}",
        ]
        for tag in choose_tags(annotation, tagger.tag_names, topk, None)
    ]


def start(page, port: int) -> str:
    """Show the page to this machine alone, in threads; returns its address.

    Raises:
        InputError: the port is taken.
    """
    import gradio

    # Of the system, since the theme's own would be fetched from the network.
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
        raise InputError(f"port {port} cannot be used ({error}); choose another --port") from error
    return address
