"""Tags for new photographs by a trained run."""

from warptag.annotation.tagger import Annotation, Tagger

__all__ = ["Annotation", "Tagger"]
