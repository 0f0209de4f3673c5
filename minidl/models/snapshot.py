"""What compile() settles: which weights a model trains."""

from typing import Any

__all__ = ["Snapshot"]


class Snapshot:
    """What was trainable when a model was compiled; later changes of flags wait for the next compile()."""

    def __init__(self, model: Any):
        self.model = model
        self._frozen = {id(layer) for layer in model._flatten_layers() if not layer._trainable}
        self._known = {id(layer) for layer in model._flatten_layers()}
        self.ids: set[int] = set()
        self.variables: list[Any] = []
        self.regularized: list[Any] = []
        self.settled = False
        if model.built:
            self.variables = model.trainable_variables
            self._finish()

    def resolved(self) -> "Snapshot":
        """Find the variables, once the model's weights exist."""
        if not self.settled and self.model.built:
            self.variables = [
                weight
                for layer in self.model._flatten_layers()
                if not (id(layer) in self._frozen or (id(layer) not in self._known and not layer._trainable))
                for weight in layer._own_weights()[0]
            ]
            order = {id(w): i for i, w in enumerate(self.model.weights)}
            self.variables.sort(key=lambda weight: order[id(weight)])
            self._finish()
        return self

    def _finish(self) -> None:
        layers = self.model._flatten_layers()
        trained = {
            id(layer)
            for layer in layers
            if id(layer) not in self._frozen and (id(layer) in self._known or layer._trainable)
        }
        self.ids = {id(v) for v in self.variables} | trained
        self.regularized = [v for v in self.variables if v.regularizer is not None]
        self.settled = True
