"""Lamb (You et al. 2019): Adam for very large batches, whose steps are as long as the weights themselves."""

from minidl_kernels.arrays import namespace

from .moments import MomentOptimizer

__all__ = ["Lamb"]


class Lamb(MomentOptimizer):
    """u = m_hat / (sqrt(v_hat) + epsilon), as in Adam's paper; w -= learning_rate * u * norm(w) / norm(u).

    Where one of the norms is 0, the factor is 1. Each weight has norms of its own.

    Args:
        learning_rate: default 0.001.
        beta_1, beta_2: default 0.9 and 0.999.
        epsilon: added to the corrected root. Default 1e-7.
        **settings: see ``Optimizer``.
    """

    def update(self, places, weights, grads, rate):
        step = self._updates() + 1
        for i, w, g in zip(places, weights, grads, strict=True):
            xp, m, v = namespace(w), self.moments[i].data, self.velocities[i].data
            m += (g - m) * (1 - self.beta_1)
            v += (g * g - v) * (1 - self.beta_2)
            u = m / (1 - self.beta_1**step) / (xp.sqrt(v / (1 - self.beta_2**step)) + self.epsilon)
            lengths = [float(xp.sqrt(xp.sum(a * a))) for a in (w, u)]
            w -= rate * (lengths[0] / lengths[1] if min(lengths) > 0 else 1.0) * u
