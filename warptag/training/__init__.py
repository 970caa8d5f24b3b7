"""Training a network with a ranking loss: strategy, schedule, checkpoints, progress."""

from warptag.training.callbacks import TrainingDiverged
from warptag.training.settings import LOSSES, TrainingSettings
from warptag.training.strategy import device_name
from warptag.training.trainer import predict, train

__all__ = ["LOSSES", "TrainingDiverged", "TrainingSettings", "device_name", "predict", "train"]
