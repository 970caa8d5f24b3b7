"""Training a network with a ranking loss: `compile`, `fit`, checkpoints, progress."""

from warptag.training.calibration import Calibration, fit_calibration, load_calibration
from warptag.training.device import device
from warptag.training.divergence import TrainingDiverged
from warptag.training.optimizers import SGD
from warptag.training.predict import predict
from warptag.training.run_folder import OtherRun, load_run
from warptag.training.settings import LOSSES, TrainingSettings
from warptag.training.train import train

__all__ = [
    "LOSSES",
    "SGD",
    "Calibration",
    "OtherRun",
    "TrainingDiverged",
    "TrainingSettings",
    "device",
    "fit_calibration",
    "load_calibration",
    "load_run",
    "predict",
    "train",
]
