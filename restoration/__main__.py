"""The command line: `restoration COMMAND`, or `python -m restoration COMMAND` in a checkout."""

from __future__ import annotations

import os
import sys

from .cli import app


def main() -> None:
    """The program; in UTF-8, as Python 3.15 is by itself, where a system's settings know no sign but ASCII's."""
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, sys.orig_argv)
    app()


if __name__ == "__main__":
    main()
