from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..data._sweep import values
from .base import Model, Observable, log_abs

if TYPE_CHECKING:
    from ..laws import Law


class Pitchfork(Model):
    """Stochastic pitchfork (Ito), ``dz = (mu z - b z^3) dt + sigma z dW``.

    A direction that a mirror symmetry of the loss lets SGD collapse. The sign of ``z`` is conserved;
    for ``mu > sigma**2/2`` the stationary law of ``z**2`` is Gamma with shape ``mu/sigma**2 - 1/2``
    and scale ``sigma**2/b``, otherwise ``z`` collapses to 0.

    Schemes in ``ln z`` take ``z > 0`` only; by symmetry ``-z`` is the same process. With them
    ``Ensemble.log_x`` follows a collapse far below 1e-300.

    Parameters
    ----------
    mu : float or array_like, default 1
        Linear growth rate, 1/time.
    b : float or array_like, default 1
        Cubic saturation, 1/(z^2 time), > 0.
    sigma : float or array_like, default 0.5
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

    def __init__(self, mu: Any = 1.0, b: Any = 1.0, sigma: Any = 0.5) -> None:
        # without saturation the compiled model serves MirrorCollapse; here it would have no law
        super().__init__(mu=mu, b=values("b", b, low=0.0, open_low=True), sigma=sigma)

    def observables(self) -> dict[str, Observable]:
        """Return ``log_abs``, ``ln |z|``."""
        return {"log_abs": log_abs}

    def stationary(self) -> Law:
        """Return the law of ``z > 0``: ``z^2`` is Gamma for ``mu > sigma^2/2``, else a point at 0."""
        from .. import laws

        return laws.Pitchfork(**self._single())
