"""`python -m tools.plan STACK`."""

import sys

from tools.plan.plan import main

sys.exit(main())
