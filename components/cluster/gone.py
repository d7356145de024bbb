"""Removing things from a cluster that may be gone itself.

Pulumi's own provider refuses to forget what it can't reach, unless the person says that the
cluster is gone (pulumi-kubernetes, provider.go: PULUMI_K8S_DELETE_UNREACHABLE). The same word
counts here, so that one variable is enough.
"""

import os
from collections.abc import Mapping
from typing import Any

from urllib3.exceptions import HTTPError

from components.cluster.api import ClusterApi, open_cluster
from components.common.progress import tell

VARIABLE = "PULUMI_K8S_DELETE_UNREACHABLE"
_ANSWER_SECONDS = 20


def open_for_removal(props: Mapping[str, Any]) -> ClusterApi | None:
    """The cluster of a dynamic resource's inputs; None if it is gone and the person says so.

    Raises RuntimeError naming the variable to set, when the cluster does not answer.
    """
    try:
        cluster = open_cluster(props)
        cluster.version.get_code(_request_timeout=_ANSWER_SECONDS)
    except (HTTPError, RuntimeError) as error:
        if os.environ.get(VARIABLE) == "true":
            tell(f"the cluster does not answer and counts as gone ({VARIABLE}): {error}")
            return None
        raise RuntimeError(
            f"the cluster does not answer, so nothing is removed: {error}. If it is gone for good, "
            f"set the environment variable {VARIABLE}=true and run this again."
        ) from None
    return cluster
