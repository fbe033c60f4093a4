from __future__ import annotations

from typing import TYPE_CHECKING

from .._checks import number
from .base import Model

if TYPE_CHECKING:
    from ..laws import Law


class Pitchfork(Model):
    """Stochastic pitchfork (Ito), ``dz = (mu z - b z^3) dt + sigma z dW``.

    A direction that a mirror symmetry of the loss lets SGD collapse. The sign of ``z`` is conserved;
    for ``mu > sigma**2/2`` the stationary law of ``z**2`` is Gamma with shape ``mu/sigma**2 - 1/2``
    and scale ``sigma**2/b``, otherwise ``z`` collapses to 0.

    Schemes in ``ln z`` take ``z > 0`` only; by symmetry ``-z`` is the same process. With them ``Ensemble.log_x`` follows a collapse far below 1e-300.

    Parameters
    ----------
    mu : float, default 1
        Linear growth rate, 1/time.
    b : float, default 1
        Cubic saturation, 1/(z^2 time), > 0.
    sigma : float, default 0.5
        Relative noise strength, 1/sqrt(time), >= 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a number or out of bounds.

    References
    ----------
    Ziyin, *Symmetry induces structure and constraint of learning*, ICML 2024, arXiv:2309.16932.
    """

    preferred_schemes = ("strang-splitting",)

    def __init__(self, mu: float = 1.0, b: float = 1.0, sigma: float = 0.5) -> None:
        # the engine takes b = 0 too; the laws here are those of b > 0
        super().__init__(mu=mu, b=number("b", b, low=0.0, open_low=True), sigma=sigma)

    def stationary(self) -> Law:
        """Return the law of ``z > 0``: ``z^2`` is Gamma for ``mu > sigma^2/2``, else a point at 0."""
        from .. import laws

        return laws.Pitchfork(**self.params)
