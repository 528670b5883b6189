"""Incomplete beta and gamma functions against scipy."""

import pytest
from scipy import special

from persona_server.measures.special import beta_quantile, incomplete_beta, incomplete_gamma


@pytest.mark.parametrize("a", [1, 2.5, 30, 4000])
@pytest.mark.parametrize("b", [1, 7, 800])
@pytest.mark.parametrize("p", [1e-4, 0.005, 0.025, 0.5, 0.975, 0.9999])
def test_beta(a: float, b: float, p: float) -> None:
    x = beta_quantile(p, a, b)
    assert x == pytest.approx(special.betaincinv(a, b, p), rel=1e-9)
    assert incomplete_beta(x, a, b) == pytest.approx(p, rel=1e-8)


@pytest.mark.parametrize("x", [-1.0, 0.0, 1.0, 2.0])
def test_the_ends_of_beta(x: float) -> None:
    assert incomplete_beta(x, 2, 3) == (0 if x <= 0 else 1)


@pytest.mark.parametrize("a", [0.1, 0.96, 3.7, 50])
@pytest.mark.parametrize("x", [0.0, 1e-9, 0.3, 2.0, 40.0, 120.0])
def test_gamma(a: float, x: float) -> None:
    assert incomplete_gamma(a, x) == pytest.approx(special.gammaincc(a, x), rel=1e-10, abs=1e-290)
