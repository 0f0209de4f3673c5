"""One training step, seen through: every number of it, in one page that opens in a browser."""
