"""What makes an import manifest and a CA trustworthy."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.rancher.agent.manifest import read_manifest, verify_manifest
from components.rancher.api.ca import ca_checksum, cacerts_authorization, cacerts_proof, is_proof
from components.rancher.api.errors import ManifestMismatchError
from components.rancher.api.manifest_url import read_manifest_url
from lab.rancher.stand_in import manifest as stand_in_manifest

URL = "https://rancher.example"
TOKEN = "registration" + "-token"
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


def a_manifest(**changes: Any) -> str:
    wanted: dict[str, Any] = {
        "server_url": URL,
        "token": TOKEN,
        "ca_pem": CA,
        "checksum": "",
        "version": "v2.8.5",
        "install_uuid": "u",
    }
    return stand_in_manifest.render(**(wanted | changes))


def verify(text: str, **changes: str) -> None:
    expected = {"server_url": URL, "ca_pem": CA, "token": TOKEN} | changes
    verify_manifest(read_manifest(text), **expected)


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
def test_the_checksum_counts_exactly_one_newline_at_the_end(end: str) -> None:
    expected = hashlib.sha256(f"{CA}\n".encode()).hexdigest()
    assert ca_checksum(CA + end) == expected
    assert expected != hashlib.sha256(CA.encode()).hexdigest()


def test_a_certificate_of_a_public_ca_has_an_empty_checksum() -> None:
    assert ca_checksum("") == ca_checksum("\n") == ""


def test_the_proof_is_an_hmac_over_nonce_and_ca_with_the_token_as_key() -> None:
    # Computed apart with: printf 'n\0PEM\n\0' | openssl dgst -sha512 -hmac t -binary | base64
    expected = (
        "pIQVRTG6AYv/zN+KBA/fTVPxJjEP+Gs2Rvn+vEUXJDxWuK3opzOIBUX1KUfbLdn66d6Q4iojamjk0XxGjJdatw=="
    )
    assert cacerts_proof("t", "n", "PEM") == expected
    assert is_proof(expected, token="t", nonce="n", pem="PEM\n")  # noqa: S106


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_a_proof_holds_for_one_token_nonce_and_ca_only(token: str, nonce: str, pem: str) -> None:
    proof = cacerts_proof(token, nonce, pem)
    assert is_proof(proof, token=token, nonce=nonce, pem=pem)
    assert not is_proof(proof, token=token + "x", nonce=nonce, pem=pem)
    assert not is_proof(proof, token=token, nonce=nonce + "x", pem=pem)
    assert not is_proof(proof, token=token, nonce=nonce, pem=f"{pem.strip()}x")


def test_the_bearer_for_a_proof_is_not_the_token() -> None:
    hashed = base64.b64encode(hashlib.sha256(TOKEN.encode()).digest()).decode()
    assert cacerts_authorization(TOKEN) == hashed


@pytest.mark.parametrize("version", ["v2.8.5", "v2.13.1"])
def test_a_manifest_has_nine_objects_and_verifies(version: str) -> None:
    text = a_manifest(version=version)
    assert len(read_manifest(text)) == 9
    verify(text)


def test_a_cluster_wide_object_loses_the_namespace_written_into_it() -> None:
    documents = {
        (document["kind"], document["metadata"]["name"]): document
        for document in read_manifest(a_manifest())
    }
    binding = documents["ClusterRoleBinding", "cattle-admin-binding"]
    assert "namespace" not in binding["metadata"]
    assert binding["metadata"]["labels"] == {"cattle.io/creator": "norman"}
    account = documents["ServiceAccount", "cattle"]
    assert account["metadata"]["namespace"] == "cattle-system"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"token": "another"}, "the token in Secret cattle-credentials-"),
        ({"server_url": "https://elsewhere.example"}, "CATTLE_SERVER is"),
        ({"checksum": "0" * 64}, "CATTLE_CA_CHECKSUM is"),
        ({"ca_pem": "another CA"}, "CATTLE_CA_CHECKSUM is"),
    ],
)
def test_a_manifest_that_differs_is_refused_and_the_difference_named(
    changes: dict[str, str], said: str
) -> None:
    with pytest.raises(ManifestMismatchError, match=said) as caught:
        verify(a_manifest(**changes))
    assert TOKEN not in str(caught.value)
    assert "another" not in str(caught.value)


def test_all_differences_are_told_at_once() -> None:
    with pytest.raises(ManifestMismatchError) as caught:
        verify(a_manifest(token="another", checksum="0" * 64))  # noqa: S106
    assert "token" in str(caught.value)
    assert "CATTLE_CA_CHECKSUM" in str(caught.value)


def test_a_trailing_slash_of_server_url_is_no_difference() -> None:
    verify(a_manifest(), server_url=f"{URL}/")
    with pytest.raises(ManifestMismatchError, match="CATTLE_SERVER"):
        verify(a_manifest(), server_url=f"{URL}/elsewhere")


def test_an_empty_checksum_is_right_only_without_a_ca_of_its_own() -> None:
    verify(a_manifest(ca_pem=""), ca_pem="")
    with pytest.raises(ManifestMismatchError, match="CATTLE_CA_CHECKSUM"):
        verify(a_manifest(ca_pem=""))


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("kind: DaemonSet\nmetadata: {name: x, namespace: cattle-system}", "DaemonSet x"),
        ("kind: ClusterRole\nmetadata: {name: backdoor}", "ClusterRole backdoor"),
        ("kind: Secret\nmetadata: {name: cattle-credentials-a, namespace: kube-system}", "Secret"),
        ("kind: Secret\nmetadata: {name: other, namespace: cattle-system}", "Secret other"),
        ("kind: Deployment\nmetadata: {name: cattle-cluster-agent}", "(none)"),
        ("- a list", "no Kubernetes object"),
    ],
)
def test_what_no_import_manifest_holds_is_refused(extra: str, said: str) -> None:
    with pytest.raises(ManifestMismatchError) as caught:
        read_manifest(f"{a_manifest()}---\n{extra}\n")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "---\n", "<html>\n<a b='c: d\n", "a: [", "!!python/object/apply:os.getcwd []"]
)
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ManifestMismatchError):
        read_manifest(text)


def without(kind: str) -> list[dict[str, Any]]:
    return [document for document in read_manifest(a_manifest()) if document["kind"] != kind]


@pytest.mark.parametrize("kind", ["Secret", "Deployment"])
def test_a_manifest_without_the_agent_or_its_credentials_is_refused(kind: str) -> None:
    with pytest.raises(ManifestMismatchError):
        verify_manifest(without(kind), server_url=URL, ca_pem=CA, token=TOKEN)


def test_a_manifests_address_is_taken_apart() -> None:
    parts = read_manifest_url(f"https://rancher.example:8443/v3/import/{TOKEN}_c-49z7b.yaml")
    assert (parts.server_url, parts.cluster_id, parts.token) == (
        "https://rancher.example:8443",
        "c-49z7b",
        TOKEN,
    )
    assert TOKEN not in repr(parts)


@pytest.mark.parametrize(
    "url",
    [
        f"http://rancher.example/v3/import/{TOKEN}_c-1.yaml",
        f"https://rancher.example/v3/import/{TOKEN}.yaml",
        f"https://rancher.example/{TOKEN}_c-1.yaml",
        TOKEN,
    ],
)
def test_another_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="must look like") as caught:
        read_manifest_url(url)
    assert TOKEN not in str(caught.value)
