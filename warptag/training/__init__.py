"""Training a network with a ranking loss: strategies, schedules, checkpoints, progress."""

from warptag.keras_version import require_keras3
from warptag.training.divergence import TrainingDiverged
from warptag.training.scoring import predict
from warptag.training.settings import LOSSES, TrainingSettings
from warptag.training.strategy import STRATEGIES, device_name
from warptag.training.trainer import train

require_keras3("warptag.training")

__all__ = [
    "LOSSES",
    "STRATEGIES",
    "TrainingDiverged",
    "TrainingSettings",
    "device_name",
    "predict",
    "train",
]
