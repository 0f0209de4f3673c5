"""Pictures of what a model learned: what is inside it, where it looks, how it trains; charts, tiles and the report."""

from .confusion import confusion_chart, confusion_matrix, mix_ups
from .curves import curves
from .inside import feature_maps, kernels
from .maximal import maximal_activation
from .model_graph import ModelDrawing, draw_model
from .pictures import Picture, heat, kernel_tiles, map_tiles, picture, signed
from .report import Check, Report, render, write
from .sheet import Sheet, overlay
from .svg import Figure
from .where import enlarge, grad_cam, occlusion

__all__ = [
    "Check", "Figure", "ModelDrawing", "Picture", "Report", "Sheet", "confusion_chart", "confusion_matrix", "curves",
    "draw_model", "enlarge", "feature_maps", "grad_cam", "heat", "kernel_tiles", "kernels", "map_tiles",
    "maximal_activation", "mix_ups", "occlusion", "overlay", "picture", "render", "signed", "write",
]  # fmt: skip
