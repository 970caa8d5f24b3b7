"""Tags for new photographs from a trained run."""

from tfrecords_tools.extras import requires

with requires("tensorflow"):
    from warptag.annotation.tagger import Annotation, Tagger

__all__ = ["Annotation", "Tagger"]
