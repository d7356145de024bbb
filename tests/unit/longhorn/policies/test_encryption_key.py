"""The key of encrypted volumes: written once, and never taken from a volume that needs it."""

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from components.longhorn.policies import encryption_key
from components.longhorn.policies.encryption_key import SECRET_NAME, EncryptionKeyProvider
from tests.unit.doubles.a_cluster import ACluster, api_error, volume

_PROPS: dict[str, Any] = {"kubeconfig": "k", "context": None, "key": "former words"}
PROVIDER = EncryptionKeyProvider()


class _Cluster(ACluster):
    def __init__(self) -> None:
        super().__init__()
        self.secret: dict[str, str] | None = None

    def read_namespaced_secret(self, name: str, namespace: str) -> Any:
        assert (name, namespace) == (SECRET_NAME, "longhorn-system")
        if self.secret is None:
            raise api_error(404)
        data = {key: base64.b64encode(word.encode()).decode() for key, word in self.secret.items()}
        return SimpleNamespace(data=data)

    def create_namespaced_secret(self, _namespace: str, body: Any) -> None:
        assert self.secret is None
        self.secret = body["stringData"]

    def replace_namespaced_secret(self, _name: str, _namespace: str, body: Any) -> None:
        self.secret = body["stringData"]

    def delete_namespaced_secret(self, _name: str, _namespace: str) -> None:
        self.secret = None

    @property
    def key(self) -> str | None:
        return None if self.secret is None else self.secret["CRYPTO_KEY_VALUE"]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> _Cluster:
    one = _Cluster()
    monkeypatch.setattr(encryption_key, "open_cluster", lambda _props: one)
    monkeypatch.setattr(encryption_key, "open_for_removal", lambda _props: one)
    return one


def _encrypt_a_volume(cluster: _Cluster) -> None:
    item = volume("pvc-1")
    item["spec"]["encrypted"] = True
    cluster.objects["volumes"]["pvc-1"] = item


def test_the_secret_is_made_in_the_form_that_longhorn_reads(cluster: _Cluster) -> None:
    assert PROVIDER.make(_PROPS) == (SECRET_NAME, _PROPS)
    assert cluster.key == "former words"
    assert cluster.secret is not None
    assert cluster.secret["CRYPTO_KEY_PROVIDER"] == "secret"


def test_the_key_may_change_while_no_volume_is_encrypted(cluster: _Cluster) -> None:
    PROVIDER.make(_PROPS)
    cluster.objects["volumes"]["plain"] = volume("plain")
    PROVIDER.change(_PROPS, {**_PROPS, "key": "new words"})
    assert cluster.key == "new words"


def test_a_key_that_volumes_need_is_never_replaced(cluster: _Cluster) -> None:
    PROVIDER.make(_PROPS)
    _encrypt_a_volume(cluster)
    with pytest.raises(ValueError, match="pvc-1") as refusal:
        PROVIDER.change(_PROPS, {**_PROPS, "key": "new words"})
    assert cluster.key == "former words"
    assert "words" not in str(refusal.value)


def test_a_key_that_volumes_need_is_not_replaced_because_its_secret_is_gone(
    cluster: _Cluster,
) -> None:
    PROVIDER.make(_PROPS)
    _encrypt_a_volume(cluster)
    cluster.secret = None
    with pytest.raises(ValueError, match=r"pvc-1.*set the former one again"):
        PROVIDER.change(_PROPS, {**_PROPS, "key": "new words"})
    assert cluster.key is None
    PROVIDER.change({**_PROPS, "kubeconfig": "moved"}, _PROPS)
    assert cluster.key == "former words"


def test_the_key_that_is_in_the_secret_is_taken_although_the_state_has_another_one(
    cluster: _Cluster,
) -> None:
    PROVIDER.make({**_PROPS, "key": "new words"})
    _encrypt_a_volume(cluster)
    PROVIDER.change(_PROPS, {**_PROPS, "key": "new words"})
    assert cluster.key == "new words"


def test_a_lost_state_takes_the_secret_over(cluster: _Cluster) -> None:
    PROVIDER.make(_PROPS)
    _encrypt_a_volume(cluster)
    PROVIDER.make(_PROPS)
    with pytest.raises(ValueError, match="another one"):
        PROVIDER.make({**_PROPS, "key": "new words"})


def test_a_refresh_sees_a_secret_that_is_gone_or_changed(cluster: _Cluster) -> None:
    assert PROVIDER.look(_PROPS) is None
    assert cluster.secret is None
    PROVIDER.make({**_PROPS, "key": "new words"})
    assert PROVIDER.look(_PROPS) == {**_PROPS, "key": "new words"}


def test_a_key_that_volumes_need_is_never_deleted_and_that_is_said(
    cluster: _Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    PROVIDER.make(_PROPS)
    _encrypt_a_volume(cluster)
    PROVIDER.remove(_PROPS)
    assert cluster.key == "former words"
    assert "pvc-1" in capsys.readouterr().err
    cluster.objects["volumes"].clear()
    PROVIDER.remove(_PROPS)
    assert cluster.secret is None
