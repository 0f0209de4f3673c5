"""CUDA kernels: C++ text in ``.cu`` files, run on a GPU through CuPy, or on the processor through a shim that checks.

``program.py`` reads the text and launches it, ``shim.py`` and ``shim.h`` are a GPU made of one processor, ``nvrtc.py``
compiles the text for real GPUs without having one. Nothing here is imported before the first array of CuPy.
"""

from .program import Program, blocks, parts

__all__ = ["Program", "blocks", "parts"]
