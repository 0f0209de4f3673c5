"""Many small programs are compiled here, and each runs once: XLA need not optimise them (read when jax is imported)."""

import os

os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
