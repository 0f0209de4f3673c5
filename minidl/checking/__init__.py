"""Checks of gradients: differences of values against what the walk gives, or what somebody's backward gives."""

from .diagnosis import Diagnosis, Trajectory, diagnose, diagnose_initializer, diagnose_training, diagnose_update
from .gradcheck import gradcheck
from .report import InputResult, Probe, Report

__all__ = [
    "Diagnosis",
    "InputResult",
    "Probe",
    "Report",
    "Trajectory",
    "diagnose",
    "diagnose_initializer",
    "diagnose_training",
    "diagnose_update",
    "gradcheck",
]
