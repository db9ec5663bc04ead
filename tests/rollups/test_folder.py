"""The folder's pace: it leaves time to others, and rests no longer than it may."""

from __future__ import annotations

import pytest

from aforo.rollups.folder import BUSY_ROWS, rest_after


@pytest.mark.parametrize(
    ("took", "share", "rest"),
    [(0.3, 0.6, 0.2), (0.06, 0.6, 0.04), (3.0, 0.6, 0.5), (0.1, 1.0, 0.0), (0.1, 0.5, 0.1), (0.0, 0.6, 0.0)],
)
def test_work_and_rest_keep_to_the_share(took: float, share: float, rest: float) -> None:
    assert rest_after(took, share, 0.5) == pytest.approx(rest)


@pytest.mark.parametrize(("took", "most", "rest"), [(0.03, 0.6, 0.2), (0.6, 0.6, 0.4), (0.03, 0.0, 0.0)])
def test_a_short_fold_is_followed_by_the_least_rest(took: float, most: float, rest: float) -> None:
    assert rest_after(took, 0.6, most, 0.2) == pytest.approx(rest)


@pytest.mark.parametrize(("came", "rest"), [(0, 0.4), (BUSY_ROWS // 4, 0.5), (BUSY_ROWS, 2.0), (10**9, 2.0)])
def test_the_more_events_come_the_longer_it_rests(came: int, rest: float) -> None:
    assert rest_after(0.6, 0.6, 2.0, 0.2, came=came) == pytest.approx(rest)
