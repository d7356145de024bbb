"""What Longhorn's admission webhook refuses on nodes.longhorn.io, as a policy of the API server.

Source: Longhorn manager 1.5.3, webhook/resources/node/validator.go.
"""

from typing import Any

from kubernetes.client import AdmissionregistrationV1Api, ApiClient

from lab.longhorn.manager_stand_in.api import LONGHORN, VERSION

NAME = "longhorn-node-validator"
_BEFORE = "oldObject.spec.?disks.orValue({})"
_AFTER = "object.spec.?disks.orValue({})"
_STATUS = "oldObject.?status.diskStatus.orValue({})"

# The reason decides the HTTP status: 403 for Forbidden, 422 for Invalid.
RULES = (
    (
        f"{_BEFORE}.size() == {_STATUS}.size() && {_BEFORE}.all(name, name in {_STATUS})",
        "spec and status of disks on this node are being synced; retry later",
        "Forbidden",
    ),
    (
        f"{_AFTER}.all(name, !({_AFTER}[name].?evictionRequested.orValue(false)"
        f" && {_AFTER}[name].?allowScheduling.orValue(false)))",
        "a disk must have its scheduling disabled before its replicas are evicted",
        "Invalid",
    ),
    (
        f"{_AFTER}.all(name, {_AFTER}[name].?storageReserved.orValue(0) >= 0)",
        "storageReserved of a disk must not be negative",
        "Invalid",
    ),
    (
        f"{_BEFORE}.all(name, name in {_AFTER}"
        f" || (!{_BEFORE}[name].?allowScheduling.orValue(false)"
        f" && {_STATUS}[name].?storageScheduled.orValue(0) == 0))",
        "a disk can only be removed when its scheduling is disabled and no replica is on it",
        "Invalid",
    ),
    (
        f"{_BEFORE}.all(name, !(name in {_AFTER}) || {_BEFORE}[name].?diskType.orValue('') == ''"
        f" || {_BEFORE}[name].diskType == {_AFTER}[name].?diskType.orValue('filesystem'))",
        "the type of a disk can't be changed",
        "Invalid",
    ),
)


def reconcile(client: ApiClient) -> None:
    """Create the policy and put it in force."""
    admission = AdmissionregistrationV1Api(client)
    existing: list[Any] = admission.list_validating_admission_policy().items
    if any(policy.metadata.name == NAME for policy in existing):
        return
    admission.create_validating_admission_policy(
        {
            "metadata": {"name": NAME},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "resourceRules": [
                        {
                            "apiGroups": [LONGHORN],
                            "apiVersions": [VERSION],
                            "operations": ["UPDATE"],
                            "resources": ["nodes"],
                        }
                    ]
                },
                "validations": [
                    {"expression": expression, "message": message, "reason": reason}
                    for expression, message, reason in RULES
                ],
            },
        }
    )
    admission.create_validating_admission_policy_binding(
        {
            "metadata": {"name": NAME},
            "spec": {"policyName": NAME, "validationActions": ["Deny"]},
        }
    )


def remove(client: ApiClient) -> None:
    """Take the policy out of force, as the uninstallation does with the webhooks."""
    admission = AdmissionregistrationV1Api(client)
    selector = f"metadata.name={NAME}"
    admission.delete_collection_validating_admission_policy_binding(field_selector=selector)
    admission.delete_collection_validating_admission_policy(field_selector=selector)
