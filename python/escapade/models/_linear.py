"""Long-time laws of what is linear near 0, in the words of the model that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import Model

if TYPE_CHECKING:
    from ..laws import Law


def linear_law(model: Model, z: str, rate: str, mu: float, sigma: float) -> Law:
    """Return the long-time law of ``dz = mu z dt + sigma z dW`` (Ito), a point at 0.

    ``z`` and ``rate`` say in the model's parameters what moves and how fast ``ln |z|`` drifts.

    Raises
    ------
    escapade.laws.NoStationaryLaw
        If ``ln |z|`` does not fall.
    """
    from ..laws import GeometricBrownianMotion, NoStationaryLaw

    drift = mu - 0.5 * sigma * sigma
    try:
        GeometricBrownianMotion(mu, sigma)
    except NoStationaryLaw:
        if drift > 0.0:
            happens = "every path grows without bound"
        elif sigma == 0.0:
            happens = f"{z} does not move"
        else:
            happens = f"ln|{z}| is a driftless Brownian motion, which spreads without bound"
        raise NoStationaryLaw(
            f"{model!r} has no stationary law: ln|{z}| drifts at the rate {rate} = {drift:g} >= 0, "
            f"so {happens}"
        ) from None
    return collapsed(z, rate, drift)


def collapsed(z: str, rate: str, drift: float) -> Law:
    """Return the point mass at 0, with the reason."""
    from ..laws import PointMass

    sign = "<" if drift < 0.0 else "<="
    return PointMass(
        0.0,
        f"ln|{z}| drifts near 0 at the rate {rate} = {drift:g} {sign} 0: every path collapses to 0",
    )
