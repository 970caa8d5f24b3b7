"""A trained run for other programs: as SavedModel, ONNX, LiteRT or Keras, with a model card."""

from warptag.exporting.export import export_run
from warptag.exporting.formats import FORMATS

__all__ = ["FORMATS", "export_run"]
