"""What is wrong with a gradient: each likely slip is computed, and set beside what came."""

from .check import diagnose
from .report import Diagnosis

__all__ = ["Diagnosis", "diagnose"]
