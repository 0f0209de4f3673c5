"""Models as ONNX files: what a model predicts, as a graph of operators that other runtimes run.

``export.py`` makes the file, ``table.py`` finds for each layer the function that writes its nodes; those stand in one
small file for each family of layers, and the ops of functional models in ``operations.py``. ``value.py`` keeps channels
where ONNX wants them, ``graph.py`` the nodes.
"""

from .export import export_onnx

__all__ = ["export_onnx"]
