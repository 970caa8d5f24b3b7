"""Training a network with a ranking loss: strategies, schedules, checkpoints, progress."""

from warptag.training.divergence import TrainingDiverged
from warptag.training.scoring import predict
from warptag.training.settings import LOSSES, TrainingSettings
from warptag.training.strategy import STRATEGIES, device_name
from warptag.training.trainer import train

__all__ = [
    "LOSSES",
    "STRATEGIES",
    "TrainingDiverged",
    "TrainingSettings",
    "device_name",
    "predict",
    "train",
]
