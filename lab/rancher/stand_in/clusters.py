"""Clusters, their registration tokens, their import manifest, and the lab's agent."""

import base64
import hashlib
import hmac
import re
import secrets

from . import answers, manifest, redeployment
from .answers import Answer
from .context import Caller, Context, Request, not_found
from .state import Cluster, new_id

_RFC_1123 = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class ClusterCalls:
    """The calls about clusters and what joins them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def cacerts(self, request: Request) -> Answer:
        """The CA; with a token's hash and a nonce also the proof that the token is known here."""
        known = self._context.certificates.ca_pem
        pem = f"{known}\n" if known else ""
        nonce = request.headers.get("x-cattle-nonce", "")
        for cluster in self._context.state.clusters.values():
            if not nonce or not cluster.token:
                continue
            hashed = base64.b64encode(hashlib.sha256(cluster.token.encode()).digest()).decode()
            if hmac.compare_digest(hashed, request.bearer()):
                message = b"\0".join([nonce.encode(), pem.encode(), b""])
                proof = hmac.digest(cluster.token.encode(), message, "sha512")
                return answers.text(pem, 200, {"X-Cattle-Hash": base64.b64encode(proof).decode()})
        if nonce and not self._context.options.has_v1_public:
            return answers.NONE  # Rancher 2.8 panics over a token that it does not know
        return answers.text(pem)

    def import_manifest(self, path: str) -> Answer:
        """Answers any token with a manifest that holds it: only the agent finds out.

        From 2.14.4 on a token is compared first.
        """
        name = path.removeprefix("/v3/import/").removesuffix(".yaml")
        token, _, cluster_id = name.rpartition("_")
        if not token or not cluster_id:
            return answers.no_such_path()
        cluster = self._context.state.clusters.get(cluster_id)
        is_known = cluster is not None and cluster.token == token
        if self._context.options.checks_import_tokens and not is_known:
            return answers.text("cluster not found or invalid token", 400)
        if self._context.faults.take("wrong_manifest_token"):
            token = secrets.token_hex(27)
        wrong = self._context.faults.take("wrong_manifest_checksum")
        return answers.text(
            manifest.render(
                server_url=self._context.server_url() or "https://localhost",
                token=token,
                ca_pem=self._context.certificates.ca_pem,
                checksum=secrets.token_hex(32) if wrong else "",
                version=self._context.options.version,
                install_uuid=self._context.state.install_uuid,
                registry=self._context.options.system_default_registry,
                environment=[] if cluster is None else cluster.agent_environment,
            )
        )

    def agent(self, verb: str, request: Request) -> Answer:
        """The lab's own calls: in the lab nothing runs the agent's pod."""
        token = request.bearer()
        cluster = next(
            (
                one
                for one in self._context.state.clusters.values()
                if token and token in (one.token, one.system_token)
            ),
            None,
        )
        if cluster is None:
            return answers.error(401, "Unauthorized", "no cluster has this registration token")
        if verb == "connect":
            return self._hear(cluster, request)
        if verb == "applied":
            redeployment.done(cluster, self._image())
            self._context.state.save()
            return answers.of({"cluster": cluster.id})
        if verb == "cleaned" and cluster.removing and not self._context.faults.stuck_removal:
            del self._context.state.clusters[cluster.id]
            self._context.state.save()
            return answers.of({"cluster": cluster.id})
        return answers.no_such_path()

    def through_agent(self, request: Request, path: str, _: Caller) -> Answer:
        """/k8s/clusters/ID/v1/…: the agent answers, here only about its own Deployment."""
        cluster_id, wanted = path.split("/v1/", 1) if "/v1/" in path else (path, "")
        cluster = self._context.state.clusters.get(cluster_id)
        if cluster is None or request.method != "GET":
            return answers.no_such_path()
        silence = self._context.options.agent_silence_seconds
        if not redeployment.answers_now(cluster, now=self._context.now(), silence_seconds=silence):
            return answers.text("lost connection to cluster: failed to find Session", 500)
        if wanted != "apps.deployments/cattle-system/cattle-cluster-agent":
            return answers.no_such_path()
        return answers.of(cluster.agent_object)

    def _hear(self, cluster: Cluster, request: Request) -> Answer:
        """The agent speaks; it is told what Rancher would do in the cluster through it."""
        context = self._context
        redeployment.hear(cluster, request.body(), now=context.now(), image=self._image())
        body: answers.Body = {"cluster": cluster.id, "cleanup": cluster.removing}
        if not cluster.removing and redeployment.is_due(cluster, self._image()):
            body["apply"] = redeployment.text(
                cluster,
                server_url=context.server_url(),
                ca_pem=context.certificates.ca_pem,
                version=context.options.version,
                install_uuid=context.state.install_uuid,
                registry=context.options.system_default_registry,
            )
        context.state.save()
        return answers.of(body)

    def _image(self) -> str:
        options = self._context.options
        return manifest.agent_image(options.version, options.system_default_registry)

    def clusters(self, request: Request, name: str, _: Caller) -> Answer:
        if request.method == "POST" and not name:
            return self._create_cluster(request)
        if request.method == "GET" and not name:
            wanted = request.query.get("name")
            found = [
                self._cluster_body(one)
                for one in self._context.state.clusters.values()
                if wanted is None or one.name == wanted
            ]
            return answers.collection("cluster", found)
        cluster = self._context.state.clusters.get(name)
        if cluster is None:
            return not_found("clusters", name)
        if request.method == "DELETE":
            self._remove(cluster)
            return Answer(204)
        if request.method == "PUT":
            return self._change(cluster, request.body())
        return answers.of(self._cluster_body(cluster))

    def registration_tokens(self, request: Request, name: str, _: Caller) -> Answer:
        """Made by the server itself a moment after the cluster, as Rancher does."""
        if request.method == "POST":
            cluster_id = str(request.body().get("clusterId", ""))
            if cluster_id not in self._context.state.clusters:
                return not_found("clusters", cluster_id)
            delay = self._context.options.token_delay_seconds
            made = self._context.state.clusters[cluster_id].token_from - delay / 2
            if self._context.now() < made:
                # Rancher makes the cluster's namespace a moment after the cluster.
                return answers.error(404, "NotFound", f'namespaces "{cluster_id}" not found')
            return answers.error(409, "AlreadyExists", "default-token already exists")
        cluster = self._context.state.clusters.get(name.partition(":")[0])
        if cluster is None or not cluster.token or self._context.now() < cluster.token_from:
            return not_found("clusterregistrationtokens", name)
        return answers.of(answers.registration_token(cluster, self._context.server_url()))

    def _cluster_body(self, cluster: Cluster) -> answers.Body:
        flapping = cluster.imported and self._context.faults.flaps > 0
        body = answers.cluster(
            cluster, self._context.now(), self._context.options, flapping=flapping
        )
        if flapping and body["state"] == "unavailable":
            self._context.faults.take("flaps")
        return body

    def _create_cluster(self, request: Request) -> Answer:
        body = request.body()
        name = str(body.get("name", ""))
        problem = self._name_problem(name)
        if problem is not None:
            return problem
        cluster = Cluster(
            id=new_id("c-", self._context.state.clusters),
            name=name,
            created=self._context.now(),
            token=secrets.token_hex(27),
            token_from=self._context.now() + self._context.options.token_delay_seconds,
            annotations=dict(body.get("annotations") or {}),
        )
        self._context.state.clusters[cluster.id] = cluster
        self._context.state.save()
        return answers.of(self._cluster_body(cluster), 201)

    def _change(self, cluster: Cluster, body: answers.Body) -> Answer:
        """Name, annotations, the agents' environment; what the body does not name stays.

        Of annotations each counts for itself, and a list takes the old one's place, as in Rancher.
        """
        name = str(body.get("name", ""))
        problem = None if name == cluster.name else self._name_problem(name)
        if problem is not None:
            return problem
        cluster.name = name
        cluster.annotations |= body.get("annotations") or {}
        if "agentEnvVars" in body:
            cluster.agent_environment = list(body["agentEnvVars"] or [])
        self._context.state.save()
        return answers.of(self._cluster_body(cluster))

    def _name_problem(self, name: str) -> Answer | None:
        if not _RFC_1123.fullmatch(name):
            return answers.error(
                422, "InvalidFormat", f"name {name!r} is not a lowercase RFC 1123 label", "name"
            )
        if any(cluster.name == name for cluster in self._context.state.clusters.values()):
            return answers.error(422, "NotUnique", "", "Cluster name")
        return None

    def _remove(self, cluster: Cluster) -> None:
        """A cluster whose agent is there is forgotten once the clean-up Job is made through it."""
        alive = (
            cluster.last_word is not None
            and self._context.now() - cluster.last_word
            <= self._context.options.agent_silence_seconds
        )
        if alive or self._context.faults.stuck_removal:
            cluster.removing = True
        else:
            del self._context.state.clusters[cluster.id]
        self._context.state.save()
