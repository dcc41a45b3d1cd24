"""``python -m rftgym``."""

import sys

from rftgym.cli import main

sys.exit(main())
