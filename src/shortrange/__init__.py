"""Say which local structure X-ray absorption and total-scattering data support, and how surely."""

from shortrange._version import __version__

__all__ = ["__version__"]
