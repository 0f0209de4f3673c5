"""The table of typical mistakes of users, of three parts: data and training, layers and graphs, code of their own."""

from tests.parity.mistake import Mistake
from tests.parity.mistakes_custom import CUSTOM
from tests.parity.mistakes_data import DATA
from tests.parity.mistakes_layers import LAYERS

__all__ = ["MISTAKES"]

MISTAKES: dict[str, Mistake] = {**DATA, **LAYERS, **CUSTOM}
assert len(MISTAKES) == len(DATA) + len(LAYERS) + len(CUSTOM), "a name is used twice"
