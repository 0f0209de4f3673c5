"""``minidl explain``: one training step of a network on real pictures, number by number, as a page."""

import argparse
from pathlib import Path
from typing import Any

from .arguments import UsageError, positive, seed

__all__ = ["add", "run"]

_EPILOG = """examples:
  minidl explain
  minidl explain minidl-demo/model.keras --language ko
  minidl explain my.keras --data photos --samples 2 --out step.html

Without a model, it is the network of minidl demo before its training. In the browser, the arrow keys step."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "explain",
        help="show one training step number by number, as a page",
        description="Take one training step of a network on a few pictures, and write a page that shows every number "
        "of it: forward, backward, and the optimizer's update. The page opens from the disk and needs no network.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a saved model (.keras) that classifies pictures")
    parser.add_argument("--data", metavar="DIR", help="folder of pictures, one folder a class (default: Fashion-MNIST)")
    parser.add_argument("--samples", type=positive, default=1, metavar="N", help="pictures in the step (default: 1)")
    parser.add_argument("--language", choices=("en", "ko"), default="en", help="it opens in (default: en)")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of the weights and the choice (default: 0)")
    parser.add_argument("-o", "--out", default="explain.html", metavar="FILE", help="the page (default: %(default)s)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit code.

    Raises:
        UsageError: a model or data that cannot be read or do not fit, or a page that cannot be written.
    """
    import numpy as np

    from minidl import config
    from minidl.xray import explain

    config.set_global_seed(options.seed)
    model = None if options.model is None else _opened(options.model)
    data = _data(options, model)
    if model is None:
        from .networks import cnn

        model = cnn(data.shape, len(data.class_names))
    if not model.compiled:
        model.compile("adam", "sparse_categorical_crossentropy")
    chosen = np.random.default_rng(options.seed).choice(len(data.x_train), options.samples, replace=False)
    try:
        path = explain(model, data.x_train[chosen], data.y_train[chosen], path=options.out, language=options.language)
    except ValueError as error:
        raise UsageError(f"the step could not be taken: {error}") from error
    except OSError as error:
        raise UsageError(f"--out: {error}") from error
    print(f"{path}: open it in a browser; arrow keys step, Enter expands a layer ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def _opened(name: str) -> Any:
    from minidl.saving import load_model

    if not Path(name).is_file():
        raise UsageError(f"there is no file {name}")
    try:
        return load_model(name)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{name} cannot be opened: {error}") from error


def _data(options: argparse.Namespace, model: Any) -> Any:
    from .data import fashion_mnist_subset, folders

    if options.data is None:
        data = fashion_mnist_subset()
    else:
        shape = None if model is None else getattr(model, "input_shape", None)
        size = tuple(shape[1:3]) if shape is not None and len(shape) == 4 and None not in shape[1:3] else (32, 32)
        data = folders(options.data, None, size, options.seed)
    if options.samples > len(data.x_train):
        raise UsageError(f"--samples {options.samples}: there are only {len(data.x_train)} pictures")
    return data
