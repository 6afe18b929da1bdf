"""`python -m divmin` is the command `divmin`."""

import sys

from divmin.cli import main

sys.exit(main())
