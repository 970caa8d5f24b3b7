"""Tags for new photographs from a trained run."""

from warptag.annotation.tagger import Annotation, Tagger

__all__ = ["Annotation", "Tagger"]
