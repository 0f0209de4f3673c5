"""Checks of gradients: differences of values against what the walk gives."""

from .gradcheck import gradcheck
from .report import InputResult, Probe, Report

__all__ = ["InputResult", "Probe", "Report", "gradcheck"]
