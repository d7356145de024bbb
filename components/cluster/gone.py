"""Removing things from a cluster that may be gone itself.

Pulumi's own provider refuses to forget what it can't reach, unless the person says that the
cluster is gone (pulumi-kubernetes, provider.go: PULUMI_K8S_DELETE_UNREACHABLE). The same word
counts here, so that one variable is enough.
"""

import os
from collections.abc import Mapping
from typing import Any

from urllib3.exceptions import HTTPError

from components.cluster.api import ApiError, ClusterApi, open_cluster
from components.common.progress import tell

VARIABLE = "PULUMI_K8S_DELETE_UNREACHABLE"
_ANSWER_SECONDS = 20
_REFUSALS = (0, 401, 403, 404)
_FIRST_SERVER_ERROR = 500


def open_for_removal(props: Mapping[str, Any]) -> ClusterApi | None:
    """The cluster of a dynamic resource's inputs; None if it is gone and the person says so.

    Raises RuntimeError naming the variable to set, when the cluster does not answer, or something
    else may answer at its address: a load balancer without servers, or another cluster.
    """
    try:
        cluster = open_cluster(props)
        cluster.version.get_code(_request_timeout=_ANSWER_SECONDS)
    except (HTTPError, RuntimeError) as error:
        return _gone("the cluster does not answer", error)
    except ApiError as error:
        if error.status not in _REFUSALS and error.status < _FIRST_SERVER_ERROR:
            raise
        told = f"{error.status} {error.reason}".strip()
        return _gone("the cluster's address answers, but not as a cluster that lets us in", told)
    return cluster


def _gone(what: str, told: object) -> None:
    """Report it where the person says that the cluster is gone. Raises RuntimeError if not."""
    if os.environ.get(VARIABLE) != "true":
        raise RuntimeError(
            f"{what}, so nothing is removed: {told}. If it is gone for good, "
            f"set the environment variable {VARIABLE}=true and run this again."
        ) from None
    tell(f"{what} and counts as gone ({VARIABLE}): {told}")
