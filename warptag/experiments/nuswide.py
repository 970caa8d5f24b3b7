"""The paper's own setting: NUS-WIDE, the full network at 220 of 256 pixels, 81 concepts.

    bash reproduce.sh nuswide --input DIR

DIR contains the release with its images under `Flickr/`. This experiment needs GPUs, and the
images may not be redistributed, so it is not among the committed results. The numbers to expect
are the paper's, which `tables.md` lists. The learning rates and normalizations were not searched
on NUS-WIDE; pass --search to do so.
"""

from warptag.experiments.experiment import Experiment, Networks, Photographs, VisualFeatures

EXPERIMENT = Experiment(
    name="nuswide",
    title="NUS-WIDE",
    data=Photographs("nuswide", {"size": 256, "split": "paper", "seed": 0}),
    features=VisualFeatures({"codebook_size": 1000, "num_components": 500, "image_size": 256}),
    networks=Networks(
        crop_size=220,
        architecture={"width": 1.0, "dense_units": 4096, "first_stride": 4},
        # As the paper describes it.
        training={"epochs": 40, "rank": "loop"},
        chosen={
            "softmax": {"learning_rate": 0.002, "normalization": "none"},
            "ranking": {"learning_rate": 0.002, "normalization": "violators"},
            "warp": {"learning_rate": 0.002, "normalization": "violators"},
        },
        search_epochs=5,
    ),
)
