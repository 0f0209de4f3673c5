"""What is wrong with a gradient: each likely slip is computed, and set beside what came."""

from .check import diagnose
from .initializers import diagnose_initializer
from .messages import CAUSES
from .optimizers import diagnose_update
from .report import Diagnosis
from .training import diagnose_training
from .trajectory import Trajectory

__all__ = [
    "CAUSES",
    "Diagnosis",
    "Trajectory",
    "diagnose",
    "diagnose_initializer",
    "diagnose_training",
    "diagnose_update",
]
