"""The host's part of the detection sample: boxes out of maps, and average precision."""

import numpy as np
import pytest

from samples.detect.boxes import (
    Found,
    Scales,
    average_precision,
    find_boxes,
    intersection_over_union,
    without_doubles,
)
from samples.detect.compose import HEIGHT, WIDTH, Thing, compose, overlap

ROWS, COLUMNS = 30, 40


def found(left: float, top: float, side: float, sure: float, kind: int = 0) -> Found:
    return Found(left, top, left + side, top + side, kind, sure, sure)


def thing(left: int, top: int, side: int, kind: int = 0) -> Thing:
    return Thing(left, top, left + side, top + side, kind)


def test_a_peak_becomes_a_box() -> None:
    maps = np.zeros((15, ROWS, COLUMNS), np.int64)
    maps[0] = -100
    maps[0, 10, 20] = 30
    maps[0, 10, 21] = 20  # beside the peak: no box of its own
    maps[1:5, 10, 20] = [2, -2, 40, 50]  # right, up, 2^4 wide, 2^5 high
    maps[5 + 7, 10, 20] = 100
    scales = Scales(np.full(15, 0.1), np.zeros(15))
    (box,) = find_boxes(maps[:1], maps[1:5], maps[5:], scales)
    middle_x, middle_y = 4 * 20.7, 4 * 10.3
    expected = (middle_x - 8, middle_y - 16, middle_x + 8, middle_y + 16)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx(expected)
    assert box.kind == 7
    assert box.sure == pytest.approx(1 / (1 + np.exp(-3)))


def test_the_surer_of_two_overlapping_boxes_stays() -> None:
    boxes = [found(0, 0, 10, 0.9), found(1, 1, 10, 0.8), found(30, 0, 10, 0.7)]
    assert without_doubles(boxes) == [boxes[0], boxes[2]]


def test_shared_area_of_two_boxes() -> None:
    assert intersection_over_union(thing(0, 0, 10), thing(5, 0, 10)) == pytest.approx(50 / 150)
    assert intersection_over_union(thing(0, 0, 10), thing(20, 0, 10)) == 0


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([found(0, 0, 10, 0.9), found(40, 40, 10, 0.8)], 1.0),
        ([found(0, 0, 10, 0.9)], 0.5),
        ([found(80, 80, 10, 0.9), found(0, 0, 10, 0.8), found(40, 40, 10, 0.7)], 2 / 3),
        # The second box on one thing is wrong: precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
        ([found(0, 0, 10, 0.9), found(0, 1, 10, 0.8), found(40, 40, 10, 0.7)], (1 + 2 / 3) / 2),
        ([], 0.0),
    ],
)
def test_average_precision_by_hand(boxes: list[Found], expected: float) -> None:
    things = [thing(0, 0, 10), thing(40, 40, 10)]
    assert average_precision([(boxes, things)]) == pytest.approx(expected)


def test_average_precision_of_one_kind() -> None:
    frame = ([found(0, 0, 10, 0.9, kind=1)], [thing(0, 0, 10, kind=1), thing(40, 40, 10, kind=2)])
    assert average_precision([frame], kind=1) == 1.0
    assert average_precision([frame], kind=2) == 0.0


def test_boxes_of_composed_frames_are_tight_and_apart() -> None:
    rng = np.random.default_rng(0)
    plain = np.full((200, 300), 128, np.uint8)
    block = np.zeros((1, 28, 28), np.uint8)
    block[0, 7:21, 3:25] = 255
    for _ in range(20):
        frame = compose([plain], block, np.array([4], np.uint8), rng)
        assert frame.picture.shape == (HEIGHT, WIDTH)
        for one in frame.things:
            inside = frame.picture[one.top : one.bottom, one.left : one.right].astype(float)
            assert abs(inside.mean() - 128) > 10
            shape = (one.right - one.left) / (one.bottom - one.top)
            assert shape == pytest.approx(22 / 14, rel=0.3)
            others = [other for other in frame.things if other is not one]
            assert all(overlap(one, other) <= 0.1 for other in others)
