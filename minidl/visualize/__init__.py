"""Pictures of what a model learned: what is inside it, where it looks, how it trains; charts, tiles and the report."""

from .confusion import confusion_chart, confusion_matrix, mix_ups
from .curves import curves
from .inside import feature_maps, kernels
from .lines import line_chart
from .maximal import maximal_activation
from .model_graph import ModelDrawing, draw_model
from .monitor import Activations, Step, TrainingMonitor, dead_units, saturation
from .page import Page, Section
from .pictures import Picture, heat, kernel_tiles, map_tiles, picture, signed
from .rates import LearningRates, learning_rate_range
from .report import Check, Report, render, write
from .sheet import Sheet, overlay
from .surface import LossSurface, loss_surface
from .svg import Figure
from .where import enlarge, grad_cam, occlusion
from .words import Words

__all__ = [
    "Activations", "Check", "Figure", "LearningRates", "LossSurface", "ModelDrawing", "Page", "Picture", "Report",
    "Section", "Sheet", "Step", "TrainingMonitor", "Words", "confusion_chart", "confusion_matrix", "curves",
    "dead_units", "draw_model", "enlarge", "feature_maps", "grad_cam", "heat", "kernel_tiles", "kernels",
    "learning_rate_range", "line_chart", "loss_surface", "map_tiles", "maximal_activation", "mix_ups", "occlusion",
    "overlay", "picture", "render", "saturation", "signed", "write",
]  # fmt: skip
