"""``minidl demo``: train a network on pictures that minidl carries, check its gradients, write a report."""

import argparse
from typing import Any

from .arguments import add_language, add_output, add_training

__all__ = ["add", "job", "run"]

EPOCHS, LEARNING_RATE = 4, 0.003  # the rate falls to zero


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "demo",
        help="train on pictures that minidl carries, and write a report",
        description="Train a convolutional network on 8,000 pictures of clothes (a part of Fashion-MNIST that minidl "
        "carries), test it on 2,000 others, check its gradients by finite differences, and write the model "
        "and a report with pictures. Needs no network. The first run compiles kernels for this computer.",
    )
    add_training(parser, epochs=str(EPOCHS))
    add_output(parser, out="minidl-demo")
    add_language(parser)
    parser.set_defaults(run=run)


def job(options: argparse.Namespace) -> Any:
    """What ``minidl demo`` trains."""
    from .data import fashion_mnist_subset
    from .job import Job

    return Job(
        title="minidl demo", data=fashion_mnist_subset(), network="cnn", optimizer="adam", learning_rate=LEARNING_RATE,
        batch_size=64, epochs=options.epochs or EPOCHS, seed=options.seed, out=options.out, quiet=options.quiet,
        language=options.language,
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    return job(options).run()
