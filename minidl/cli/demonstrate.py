"""``minidl demonstrate NAME``: what lecture notes say about training, shown by a run of seconds."""

import argparse
from pathlib import Path
from typing import Any

from .arguments import UsageError

__all__ = ["add", "run"]

NAMES = {
    "gradients": "vanishing gradients: sigmoids with small weights against ReLU with He initialisation",
    "rates": "learning rates that are too small, good and too large; a curve with two valleys",
    "saddle": "a saddle point, and the way out of it",
    "zeros": "equal initial weights stay equal",
    "linear": "a stack of linear layers is one linear map",
    "xor": "one unit cannot learn XOR, two layers can",
    "overfitting": "learning by heart; dropout, L2 and augmentation against it",
}


def add(commands: Any) -> None:
    """Declare the command."""
    names = "\n".join(f"  {name:12} {what}" for name, what in NAMES.items())
    parser = commands.add_parser(
        "demonstrate",
        help="show what lecture notes say about training, each by a run of seconds",
        description="Run a demonstration, print the numbers that prove its point, and write a page (English and "
        "Korean) "
        f"with charts.\n\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=[*NAMES, "all"], metavar="NAME", help="one of the above, or all")
    parser.add_argument("--out", metavar="DIR", default="minidl-demonstrations", help="folder (default: %(default)s)")
    parser.add_argument(
        "--language", choices=("en", "ko"), default="en", help="of what is printed, and what the page shows first"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit code.

    Raises:
        UsageError: nothing can be written there.
    """
    from minidl.demonstrations import demonstrate

    folder = Path(options.out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out: cannot make the folder {folder}: {error.strerror}") from error
    for name in NAMES if options.name == "all" else [options.name]:
        shown = demonstrate(name)
        print(shown.text(options.language))
        print(f"  page: {shown.page().save(folder / f'{name}.html', options.language)}\n", flush=True)
    return 0
