"""Fit the table `tag_statistics.csv` to the ground truth of NUS-WIDE.

The table is a Chow-Liu tree: the tree-shaped distribution over the 81 tags nearest (in
Kullback-Leibler divergence) to the one of the images, which is the spanning tree of maximum
mutual information with every tag conditioned on its parent. It needs the release's folders
`ConceptsList` and `Groundtruth/AllLabels` only, no picture:

    python -m tfrecords_tools.sources.scenes.fit_tag_statistics path/to/nuswide

Source: C. Chow and C. Liu, Approximating discrete probability distributions with dependence
trees, IEEE Transactions on Information Theory, 1968.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from tfrecords_tools.errors import InputError
from tfrecords_tools.files import write_whole
from tfrecords_tools.sources.scenes.tag_statistics import TABLE


def read_labels(directory: Path) -> tuple[list[str], np.ndarray]:
    """Tag names and labels, bool (num_images, num_tags).

    Images without a tag count: the tree gives the empty set its real share, and `sample`, which
    draws it again, then meets the statistics of the tagged images.
    """
    concepts = directory / "ConceptsList" / "Concepts81.txt"
    if not concepts.is_file():
        raise InputError(f"{concepts}: not found; name the folder that holds ConceptsList.")
    tag_names = concepts.read_text().split()
    folder = directory / "Groundtruth" / "AllLabels"
    columns = [np.loadtxt(folder / f"Labels_{name}.txt", dtype=np.int8) for name in tag_names]
    labels = np.stack(columns, axis=1).astype(bool)
    return tag_names, labels


def mutual_information(labels: np.ndarray) -> np.ndarray:
    """Mutual information of each pair of columns in nats, (num_tags, num_tags)."""
    num_images = len(labels)
    present = labels.astype(np.float32)
    both = (present.T @ present).astype(np.float64)
    count = np.diag(both)
    total = np.zeros_like(both)
    for first in (True, False):
        for second in (True, False):
            joint = num_images - count[:, None] - count[None, :] + both
            if first and second:
                joint = both
            elif first:
                joint = count[:, None] - both
            elif second:
                joint = count[None, :] - both
            marginal_first = count[:, None] if first else num_images - count[:, None]
            marginal_second = count[None, :] if second else num_images - count[None, :]
            joint = np.maximum(joint, 1e-9)
            ratio = joint * num_images / (marginal_first * marginal_second)
            total += joint / num_images * np.log(ratio)
    return total


def fit(tag_names: list[str], labels: np.ndarray) -> pd.DataFrame:
    """The table, one row a tag in the given order; the root's parent is the empty string."""
    count = labels.sum(axis=0)
    # Tags that are independent have no mutual information; an edge of weight 0 is no edge.
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
    """Rewrite the table from the release of NUS-WIDE in DIRECTORY."""
    table = fit(*read_labels(directory))
    with write_whole(TABLE) as temporary:
        table.to_csv(temporary, index=False)
    click.echo(f"{TABLE}: {len(table)} tags")


if __name__ == "__main__":
    main()
