"""``minidl train``: the same as the demo on the whole of Fashion-MNIST, or on folders of pictures."""

import argparse
from typing import Any

from .arguments import UsageError, add_language, add_output, add_training, image_size, positive, rate

__all__ = ["add", "job", "run"]

EPOCHS = 10
RATES = {"adam": 0.001, "sgd": 0.02}
_EPILOG = """examples:
  minidl train --data fashion_mnist --model mlp
  minidl train --data photos --image-size 64 --epochs 20
  minidl train --data cifar/train --test cifar/test --out cifar-model

A folder holds one folder for each class with its pictures inside: photos/cat/1.jpg, photos/dog/7.png.
They are resized to --image-size and held in memory. Ctrl-C stops early and keeps the model as it is."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "train",
        help="train on Fashion-MNIST or on your own folders of pictures",
        description="Train a classifier of pictures; writes the model and a report with pictures.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", required=True, metavar="fashion_mnist|DIR", help="what to learn from")
    parser.add_argument(
        "--test", metavar="DIR", help="pictures to test on (default: a fifth of each class of --data DIR)"
    )
    parser.add_argument(
        "--image-size", type=image_size, metavar="SIZE", help="of folders' pictures: 64, or 48x64 (default: 32)"
    )
    parser.add_argument(
        "--model", choices=("cnn", "mlp"), default="cnn", help="mlp: 300 and 100 units; cnn (default): as in demo"
    )
    parser.add_argument("--batch-size", type=positive, default=64, metavar="N", help="pictures a step (default: 64)")
    parser.add_argument(
        "--optimizer", choices=sorted(RATES), default="adam", help="adam (default), or sgd with momentum 0.9"
    )
    parser.add_argument(
        "--learning-rate",
        type=rate,
        metavar="RATE",
        help="at the start; it falls to zero (default: adam 0.001, sgd 0.02)",
    )
    add_training(parser, epochs=str(EPOCHS))
    add_output(parser, out="minidl-train")
    add_language(parser)
    parser.set_defaults(run=run)


def job(options: argparse.Namespace) -> Any:
    """What these options ask for.

    Raises:
        UsageError: options that do not go together, or data that cannot be read.
    """
    from .data import fashion_mnist, folders
    from .job import Job

    if options.data == "fashion_mnist":
        if options.test is not None or options.image_size is not None:
            raise UsageError("--test and --image-size are for folders of pictures; fashion_mnist brings its own")
        data = fashion_mnist()
    else:
        data = folders(options.data, options.test, options.image_size or (32, 32), options.seed)
    return Job(
        title="minidl train", data=data, network=options.model, optimizer=options.optimizer,
        learning_rate=options.learning_rate or RATES[options.optimizer], batch_size=options.batch_size,
        epochs=options.epochs or EPOCHS, seed=options.seed, out=options.out, quiet=options.quiet,
        language=options.language,
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    return job(options).run()
