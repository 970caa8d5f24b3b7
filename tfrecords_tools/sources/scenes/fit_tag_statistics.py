"""Fit the table `tag_statistics.csv` to the ground truth of NUS-WIDE.

The table is a Chow-Liu tree: the tree-shaped distribution over the 81 tags that is nearest (in
Kullback-Leibler divergence) to that of the images, which is the spanning tree of maximum mutual
information with every tag conditioned on its parent. Only the release's folders `ConceptsList` and
`Groundtruth/AllLabels` are needed:

    python -m tfrecords_tools.sources.scenes.fit_tag_statistics path/to/nuswide

Source: C. Chow and C. Liu, Approximating discrete probability distributions with dependence
trees, IEEE Transactions on Information Theory, 1968.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from tfrecords_tools.files import write_whole
from tfrecords_tools.sources.nuswide import load_ground_truth
from tfrecords_tools.sources.scenes.tag_statistics import TABLE


def mutual_information(labels: np.ndarray) -> np.ndarray:
    """Mutual information of each pair of columns in nats, (num_tags, num_tags)."""
    num_images = len(labels)
    present = labels.astype(np.float32)
    both = (present.T @ present).astype(np.float64)
    count = np.diag(both)
    total = np.zeros_like(both)
    # The four combinations of the first tag present or absent, and the second.
    absent = num_images - count
    for joint, first, second in (
        (both, count, count),
        (count[:, None] - both, count, absent),
        (count - both, absent, count),
        (absent[:, None] - count + both, absent, absent),
    ):
        joint = np.maximum(joint, 1e-9)
        ratio = joint * num_images / (first[:, None] * second)
        total += joint / num_images * np.log(ratio)
    return total


def fit(tag_names: list[str], labels: np.ndarray) -> pd.DataFrame:
    """The table, one row per tag in the given order; the root's parent is the empty string."""
    count = labels.sum(axis=0)
    # Independent tags have no mutual information, but an edge of weight 0 is not an edge.
    information = np.maximum(mutual_information(labels), 1e-12)
    tree = minimum_spanning_tree(-np.triu(information, k=1))
    _, parents = breadth_first_order(tree, int(count.argmax()), directed=False)
    rows = []
    for tag, name in enumerate(tag_names):
        parent = parents[tag]
        if parent < 0:
            absent = present = labels[:, tag].mean()
        else:
            absent = labels[~labels[:, parent], tag].mean()
            present = labels[labels[:, parent], tag].mean()
        parent_name = "" if parent < 0 else tag_names[parent]
        rows.append((name, parent_name, round(absent, 7), round(present, 7), count[tag]))
    columns = ["name", "parent", "probability_parent_absent", "probability_parent_present", "count"]
    return pd.DataFrame(rows, columns=columns)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(directory: Path) -> None:
    """Write the table again from the release of NUS-WIDE in DIRECTORY."""
    # Images without tags count: the tree gives the empty set its real share, and `sample`, which
    # draws it again, then has the statistics of the tagged images.
    tag_names, labels = load_ground_truth(directory)
    table = fit(tag_names, labels.astype(bool))
    with write_whole(TABLE) as temporary:
        table.to_csv(temporary, index=False)
    click.echo(f"{TABLE}: {len(table)} tags")


if __name__ == "__main__":
    main()
