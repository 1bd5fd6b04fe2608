"""The command line: ``python -m recsys_tutorial COMMAND`` (also installed as ``recsys-tutorial``)."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
