"""The code that docs/baselines.md shows, with smaller features."""

import re
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]


def test_images_become_features_and_features_scores(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/baselines.md").read_text("utf-8"), re.DOTALL
    )
    (code,) = (block for block in blocks if "VisualFeatures" in block)
    smaller = "VisualFeatures(codebook_size=8, num_components=4, image_size=32, "
    images = list(np.random.default_rng(0).integers(0, 256, (12, 40, 50, 3), np.uint8))
    names = {"train_images": images, "new_images": images[:3], "test_images": images[:3]}
    names["labels"] = np.arange(24).reshape(12, 2) % 3 % 2
    exec(code.replace("VisualFeatures(cache_dir", smaller + "cache_dir"), names)
    assert names["scores"].shape == (3, 2) and np.isfinite(names["scores"]).all()
    assert list((tmp_path / "histograms").iterdir())
