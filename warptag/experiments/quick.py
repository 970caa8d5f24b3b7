"""A small form of an experiment that passes through every step in a minute or two, for tests."""

from __future__ import annotations

from dataclasses import replace

from warptag.experiments.experiment import Experiment


def quick(experiment: Experiment) -> Experiment:
    """One seed, one epoch, small features; on scenes few pictures too. Decides nothing."""
    settings = dict(experiment.source_settings)
    if experiment.source == "scenes":
        settings.update(train=540, validation=60, test=200)
    return replace(
        experiment,
        title=f"{experiment.title}, --quick",
        source_settings=settings,
        training=replace(experiment.training, epochs=1),
        search_epochs=1,
        features={"codebook_size": 20, "num_components": 20, "image_size": 32},
        feature_source_settings=None,
        seeds=1,
        notes=(*experiment.notes, "A --quick run of one epoch: it tries the path, no claim."),
    )
