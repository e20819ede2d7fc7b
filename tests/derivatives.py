"""Derivatives of a curve by its parameters, from differences, for tests of those in closed form."""

import numpy as np


def slope(window, values, k):
    """Derivative by parameter ``k`` of what ``window(values)`` gives first: a difference of fourth order."""
    step = np.eye(values.size)[k] * 2e-4 * max(abs(values[k]), 0.05)
    near = window(values + step)[0] - window(values - step)[0]
    far = window(values + 2 * step)[0] - window(values - 2 * step)[0]
    return (8 * near - far) / (12 * step[k])


def assert_derivatives(window, values, names):
    """See that the Jacobian, which ``window`` gives second, is that of differences to 1e-6 of its maxima."""
    _, jacobian = window(values)
    for k, name in enumerate(names):
        off = np.abs(slope(window, values, k) - jacobian[:, k]).max()
        assert off < 1e-6 * np.abs(jacobian[:, k]).max(), name
