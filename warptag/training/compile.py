"""Making the network of a run, and compiling it with its loss, optimizer and metrics."""

from __future__ import annotations

from collections.abc import Callable

import keras

from warptag.training.device import on_tensorflow
from warptag.training.optimizers import SGD, LossScaleOptimizer
from warptag.training.settings import TrainingSettings
from warptag.training.validation_metrics import PaperMetrics

PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def compiled(
    make_model: Callable[[], keras.Model], settings: TrainingSettings, steps_per_epoch: int, k: int
) -> tuple[keras.Model, keras.Model, PaperMetrics]:
    """Makes a network and compiles it with the loss, the optimizer and the metrics of a run.

    Returns:
        The network, the compiled model over the same layers, and its metric. Only the network is
        saved: a file without the optimizer is half as large.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(PRECISIONS[settings.precision])
    try:
        network = make_model()
    finally:
        keras.config.set_dtype_policy(policy)
    optimizer: keras.optimizers.Optimizer = SGD(
        settings.make_schedule(steps_per_epoch),
        momentum=settings.momentum,
        weight_decay=settings.weight_decay or None,
        global_clipnorm=settings.clip_norm,
    )
    if settings.precision == "float16":
        optimizer = LossScaleOptimizer(optimizer)
    optimizer.build(network.trainable_variables)
    metric = PaperMetrics(k, network.output_shape[-1])
    jit_compile: bool | str = {"on": True, "off": False}.get(settings.jit_compile, "auto")
    if jit_compile == "auto" and settings.deterministic and on_tensorflow():
        jit_compile = False
    model = keras.Model(network.inputs, network.outputs)
    model.compile(
        optimizer,
        settings.make_loss(),
        metrics=[metric],
        jit_compile=jit_compile,
        steps_per_execution=settings.steps_per_execution,
    )
    return network, model, metric


def state_of(model: keras.Model) -> list[keras.Variable]:
    """Every variable that later steps depend on: weights, momentum, and the random states."""
    generator = getattr(model.loss, "seed_generator", None)
    draws = [] if generator is None else [generator.state]
    return [*model.variables, *model.optimizer.variables, *draws]
