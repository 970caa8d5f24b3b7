"""Tags for new photographs by a trained run."""

from warptag.annotation.calibration import Calibration, fit_calibration, load_calibration
from warptag.annotation.tagger import Annotation, Tagger

__all__ = ["Annotation", "Calibration", "Tagger", "fit_calibration", "load_calibration"]
