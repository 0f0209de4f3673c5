"""Differentiable operations, with the names of ``keras.ops``."""

from . import image as image
from . import linalg as linalg
from . import nn as nn
from . import numpy as numpy
from .activation import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .arranging import *  # noqa: F403
from .creation import *  # noqa: F403
from .ctc import *  # noqa: F403
from .custom import *  # noqa: F403
from .einsum import einsum as einsum
from .elementary import *  # noqa: F403
from .flow import *  # noqa: F403
from .linear import *  # noqa: F403
from .loss import *  # noqa: F403
from .normalization import *  # noqa: F403
from .order import *  # noqa: F403
from .per_sample import *  # noqa: F403
from .piecewise import *  # noqa: F403
from .pooling import *  # noqa: F403
from .products import *  # noqa: F403
from .randomness import *  # noqa: F403
from .reductions import *  # noqa: F403
from .shaping import *  # noqa: F403
from .sliding import *  # noqa: F403
from .statistics import *  # noqa: F403
from .unit import *  # noqa: F403
from .whole import *  # noqa: F403
