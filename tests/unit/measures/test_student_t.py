"""Student's t against scipy."""

from math import atan, pi, sqrt

import pytest
from scipy import stats

from persona_server.measures.student_t import density, quantile, two_sided_p

DF = [1, 2, 3, 4, 5, 10, 16, 30, 100, 399, 400, 401, 1000, 10_000, 500_000]


@pytest.mark.parametrize("df", DF)
@pytest.mark.parametrize("p", [0.5, 0.6, 0.75, 0.95, 0.975, 0.995, 0.9999, 0.025, 0.05])
def test_quantile(p: float, df: int) -> None:
    assert quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-10, abs=1e-12)
    tail = two_sided_p(quantile(p, df), df) / 2
    assert tail == pytest.approx(min(p, 1 - p), rel=1e-12)


@pytest.mark.parametrize("df", DF)
@pytest.mark.parametrize("t", [0.0, 1e-200, 0.01, 0.5, 1.0, 1.7, 2.5, 5.0, 30.0, -1.3, -40.0])
def test_probability(t: float, df: int) -> None:
    assert two_sided_p(t, df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-10, abs=1e-290)
    assert density(t, df) == pytest.approx(stats.t.pdf(t, df), rel=1e-10, abs=1e-290)


@pytest.mark.parametrize("t", [1e-9, 1e-3, 0.7, 3.0, 1e6])
def test_closed_forms(t: float) -> None:
    assert two_sided_p(t, 1) == pytest.approx(1 - 2 * atan(t) / pi, rel=1e-12, abs=1e-15)
    assert two_sided_p(t, 2) == pytest.approx(1 - t / sqrt(2 + t * t), rel=1e-10, abs=1e-15)


def test_out_of_range() -> None:
    for p in (0.0, 1.0, -1.0, 2.0, float("nan")):
        with pytest.raises(ValueError, match="p is outside"):
            quantile(p, 5)
    with pytest.raises(ValueError, match="degree of freedom"):
        two_sided_p(1.0, 0)
