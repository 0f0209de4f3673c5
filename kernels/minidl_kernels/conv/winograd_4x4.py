# mypy: ignore-errors
"""Winograd's F(4x4, 3x3): a quarter of the multiplications, for about ten times the rounding error.

The factors of its transforms go up to 8 and down to 1/24. Relative to the largest output the error against float64 is
up to 2e-5 for 32 to 512 channels, where F(2x2, 3x3) and the direct convolution stay below 3e-6. So it is never chosen
by itself: prefer it with ``config.use_implementation("conv2d", "winograd_4x4")``, and the same for
``conv2d_input_grad`` and ``conv2d_kernel_grad``, or with MINIDL_KERNELS=conv2d=winograd_4x4.
"""

from .winograd import register

register("winograd_4x4", 4)
