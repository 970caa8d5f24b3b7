"""Training a network with a ranking loss: `compile`, `fit`, checkpoints, progress."""

from tfrecords_tools.extras import requires

with requires("tensorflow"):
    from warptag.training.calibration import Calibration, fit_calibration, load_calibration
    from warptag.training.device import device
    from warptag.training.divergence import TrainingDiverged
    from warptag.training.optimizers import SGD
    from warptag.training.predict import predict
    from warptag.training.run_folder import OtherRun, load_run
    from warptag.training.settings import TrainingSettings
    from warptag.training.train import train

__all__ = [
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
