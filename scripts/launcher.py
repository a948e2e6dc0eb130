"""What the frozen executable starts with."""

import sys

from app.__main__ import main

sys.exit(main())
