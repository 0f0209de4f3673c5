"""Differentiable operations, with the names of ``keras.ops``."""

from .activation import *  # noqa: F403
from .arithmetic import *  # noqa: F403
from .convolution import conv as conv
from .creation import *  # noqa: F403
from .ctc import *  # noqa: F403
from .custom import *  # noqa: F403
from .loss import *  # noqa: F403
from .normalization import *  # noqa: F403
from .piecewise import *  # noqa: F403
from .pooling import *  # noqa: F403
from .products import *  # noqa: F403
from .randomness import *  # noqa: F403
from .reductions import *  # noqa: F403
from .shaping import *  # noqa: F403
from .unit import *  # noqa: F403
