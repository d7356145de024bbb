"""`python -m tools.plan STACK`, quickly: a person waits for it."""

import gc
import sys
from types import ModuleType

# Nothing that a short run imports is garbage, and looking for some takes a tenth of its time.
gc.disable()


class _Unreached(ModuleType):
    """Takes the place of the cluster's client, which is slow to import: a plan reaches nothing."""

    ApiException = RuntimeError


for name in ("kubernetes", "kubernetes.client", "kubernetes.config"):
    sys.modules[name] = _Unreached(name)
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, sys.modules[name])

from tools.plan.plan import main  # noqa: E402  after what it need not import

sys.exit(main())
