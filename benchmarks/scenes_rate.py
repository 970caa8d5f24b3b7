"""How many scenes per second one core renders and encodes, beside encoding alone.

python -m benchmarks.scenes_rate [SIZE] [COUNT]
"""

from __future__ import annotations

import sys
import time

import cv2
import numpy as np

from tfrecords_tools.sources.scenes import Scenes


def main(size: int = 64, count: int = 1000) -> None:
    cv2.setNumThreads(1)
    scenes = Scenes(seed=0, size=size, train=count)
    start = time.process_time()
    records = [scenes.load(item) for item in scenes.splits["train"]]
    seconds = time.process_time() - start

    images = [cv2.imdecode(np.frombuffer(r.encoded, np.uint8), cv2.IMREAD_COLOR) for r in records]
    start = time.process_time()
    for image in images:
        cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    encoding = time.process_time() - start
    print(f"{count} scenes at {size} pixels, one core: {count / seconds:.0f} per second")
    print(f"of that time, JPEG encoding alone takes {encoding / seconds:.1%}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
