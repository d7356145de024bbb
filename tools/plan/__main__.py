"""`python -m tools.plan STACK`, quickly: a person waits for it."""

import gc
import sys

# Nothing that a short run imports is garbage, and looking for some takes a tenth of its time.
gc.disable()

from tools.plan.plan import main  # noqa: E402  after what it need not look for

sys.exit(main())
