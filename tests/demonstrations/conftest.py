"""Pages are opened in a browser."""

from tests.browser import browse  # noqa: F401
