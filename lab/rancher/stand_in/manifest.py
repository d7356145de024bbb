"""The import manifest: the nine objects that Rancher has a cluster apply to join it.

The text is this project's own; the objects, their names and what the agent reads from them are
those of Rancher's manifest, so that a program can be tested on checking them.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence


def ca_checksum(pem: str) -> str:
    """sha256 over the PEM with exactly one trailing newline; empty for an empty PEM."""
    return hashlib.sha256((pem.strip() + "\n").encode()).hexdigest() if pem.strip() else ""


def render(
    *,
    server_url: str,
    token: str,
    ca_pem: str,
    checksum: str,
    version: str,
    install_uuid: str,
    registry: str = "",
    features: str = "",
    environment: Sequence[Mapping[str, str]] = (),
) -> str:
    """The manifest's text. `token` is put in whether anybody made it or not, as Rancher does.

    Args:
        registry: the setting system-default-registry.
        features: CATTLE_FEATURES, which only what Rancher itself applies has.
        environment: the cluster's agentEnvVars, which come behind Rancher's own.
    """
    credentials = f"cattle-credentials-{_digest(server_url + token)[:7]}"
    is_before_2_13 = _minor(version) < 13
    variables = {
        **({"CATTLE_FEATURES": features} if features else {}),
        **({"CATTLE_IS_RKE": "false"} if is_before_2_13 else {}),
        "CATTLE_SERVER": server_url,
        "CATTLE_CA_CHECKSUM": checksum or ca_checksum(ca_pem),
        "CATTLE_CLUSTER": "true",
        "CATTLE_K8S_MANAGED": "true",
        "CATTLE_CLUSTER_REGISTRY": registry,
        "CATTLE_SERVER_VERSION": version,
        "CATTLE_INSTALL_UUID": install_uuid,
        "CATTLE_INGRESS_IP_DOMAIN": "sslip.io",
    }
    if not is_before_2_13:
        variables["CATTLE_CREDENTIAL_NAME"] = credentials
    lines = "".join(
        f"        - name: {name}\n          value: {json.dumps(value)}\n"
        for name, value in [
            *variables.items(),
            *((each["name"], each.get("value", "")) for each in environment),
        ]
    )
    return (
        _TEXT.replace("@CREDENTIALS@", credentials)
        .replace("@URL@", _base64(server_url))
        .replace("@TOKEN@", _base64(token))
        .replace("@ENVIRONMENT@", lines.rstrip("\n"))
        .replace("@IMAGE@", agent_image(version, registry))
    )


def agent_image(version: str, registry: str = "") -> str:
    """The image of the agent that this version of Rancher has, from its registry if there is one.

    Source: Rancher 2.8.5, pkg/image/resolve.go.
    """
    return f"{registry}/{_AGENT}:{version}" if registry else f"{_AGENT}:{version}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _minor(version: str) -> int:
    return int(version.lstrip("v").split(".")[1])


_AGENT = "rancher/rancher-agent"
_TEXT = """\
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: proxy-clusterrole-kubeapiserver}
rules:
- apiGroups: [""]
  resources: [nodes/metrics, nodes/proxy, nodes/stats, nodes/log, nodes/spec]
  verbs: [get, list, watch, create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: proxy-role-binding-kubernetes-master}
roleRef:
  {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: proxy-clusterrole-kubeapiserver}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: kube-apiserver}
---
apiVersion: v1
kind: Namespace
metadata: {name: cattle-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cattle, namespace: cattle-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: cattle-admin-binding
  namespace: cattle-system
  labels: {cattle.io/creator: norman}
subjects:
- {kind: ServiceAccount, name: cattle, namespace: cattle-system}
roleRef: {kind: ClusterRole, name: cattle-admin, apiGroup: rbac.authorization.k8s.io}
---
apiVersion: v1
kind: Secret
metadata: {name: @CREDENTIALS@, namespace: cattle-system}
type: Opaque
data:
  url: "@URL@"
  token: "@TOKEN@"
  namespace: ""
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: cattle-admin
  labels: {cattle.io/creator: norman}
rules:
- {apiGroups: ['*'], resources: ['*'], verbs: ['*']}
- {nonResourceURLs: ['*'], verbs: ['*']}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cattle-cluster-agent
  namespace: cattle-system
  annotations: {management.cattle.io/scale-available: "2"}
spec:
  selector:
    matchLabels: {app: cattle-cluster-agent}
  template:
    metadata:
      labels: {app: cattle-cluster-agent}
    spec:
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - {key: beta.kubernetes.io/os, operator: NotIn, values: [windows]}
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 1
            preference:
              matchExpressions:
              - {key: cattle.io/cluster-agent, operator: In, values: ["true"]}
      serviceAccountName: cattle
      tolerations:
      - {effect: NoSchedule, key: node-role.kubernetes.io/controlplane, value: "true"}
      - {effect: NoSchedule, key: node-role.kubernetes.io/control-plane, operator: Exists}
      - {effect: NoSchedule, key: node-role.kubernetes.io/master, operator: Exists}
      containers:
      - name: cluster-register
        image: @IMAGE@
        imagePullPolicy: IfNotPresent
        env:
@ENVIRONMENT@
        volumeMounts:
        - {name: cattle-credentials, mountPath: /cattle-credentials, readOnly: true}
      volumes:
      - name: cattle-credentials
        secret: {secretName: @CREDENTIALS@, defaultMode: 320}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
---
apiVersion: v1
kind: Service
metadata: {name: cattle-cluster-agent, namespace: cattle-system}
spec:
  ports:
  - {port: 80, targetPort: 80, protocol: TCP, name: http}
  - {port: 443, targetPort: 444, protocol: TCP, name: https-internal}
  selector: {app: cattle-cluster-agent}
"""
