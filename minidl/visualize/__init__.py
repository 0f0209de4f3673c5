"""Pictures of what a model learned: charts and tiles as SVG and HTML, and the report. Everything takes plain arrays."""

from .confusion import confusion_chart, confusion_matrix, mix_ups
from .curves import curves
from .model_graph import ModelDrawing, draw_model
from .pictures import heat, kernel_tiles, map_tiles, picture, signed
from .report import Check, Report, render, write
from .svg import Figure

__all__ = [
    "Check", "Figure", "ModelDrawing", "Report", "confusion_chart", "confusion_matrix", "curves", "draw_model", "heat",
    "kernel_tiles", "map_tiles", "mix_ups", "picture", "render", "signed", "write",
]  # fmt: skip
