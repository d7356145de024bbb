"""What a person may give Rancher's container beside the program's own settings."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import mistake, mistakes, run, valid

_NO_PROXY = {"NO_PROXY": "localhost,127.0.0.1,10.0.0.0/8,.svc,.cluster.local"}


def _rancher(**keys: Any) -> Any:
    return valid(rancher={"url": "https://rancher.example.com", **keys})


def test_registry_environment_and_mounts_reach_the_container() -> None:
    config = _rancher(
        systemDefaultRegistry="registry.example.com:5000",
        environment={"HTTPS_PROXY": "http://proxy.example.com:3128", **_NO_PROXY},
        extraMounts=[{"hostPath": "/srv/audit", "containerPath": "/var/log/auditlog"}],
    )
    (container,) = run(config).of_type("docker:index/container:Container")
    # The bootstrap password makes the whole list a secret.
    assert container.inputs["envs"].value[1:] == [
        "CATTLE_SYSTEM_DEFAULT_REGISTRY=registry.example.com:5000",
        "HTTPS_PROXY=http://proxy.example.com:3128",
        f"NO_PROXY={_NO_PROXY['NO_PROXY']}",
    ]
    assert container.inputs["volumes"][1] == {
        "hostPath": "/srv/audit",
        "containerPath": "/var/log/auditlog",
        "readOnly": True,
    }


def test_a_proxy_is_not_asked_whether_rancher_is_up() -> None:
    (container,) = run(_rancher()).of_type("docker:index/container:Container")
    assert "--noproxy '*'" in container.inputs["healthcheck"]["tests"][1]


@pytest.mark.parametrize(
    "name",
    [
        *("DB_PASSWORD", "db_passwd", "GITHUB_TOKEN", "CLIENT_SECRET", "AWS_ACCESS_KEY", "API_KEY"),
        *("DB_PW", "SMTP_PASS", "FTP_PWD", "GITHUB_PAT", "PROXY_AUTH", "TLS_KEY", "jwt"),
    ],
)
def test_a_secret_in_plain_text_is_refused_and_not_shown(name: str) -> None:
    problem = mistake(_rancher(environment={name: "hunter22"}))
    assert problem.key == f"longhorn-rancher:rancher.environment.{name}"
    assert "the name of a secret" in problem.rule
    assert "hunter22" not in str(problem)


@pytest.mark.parametrize("name", ["API_KEY", "db_passwd", "FTP_PWD", "key", "TOKEN_FILE", "DBPASS"])
def test_a_secret_that_is_a_number_is_not_shown(name: str) -> None:
    problem = mistake(_rancher(environment={name: 12345678}))
    assert problem.rule == "must be text"
    assert "12345678" not in str(problem)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CATTLE_PASSWORD_MIN_LENGTH", "16"),
        ("CATTLE_AUTH_TOKEN_MAX_TTL_MINUTES", "0"),
        ("DISABLE_TOKEN_CACHE", "true"),
        ("TLS_KEY_FILE", "/etc/tls/key.pem"),
        ("KEYBOARD", "german"),
        ("PASSAGE", "open"),
    ],
)
def test_what_only_sounds_like_a_secret_is_accepted(name: str, value: str) -> None:
    assert mistakes(_rancher(environment={name: value})) == []


@pytest.mark.parametrize(
    "value",
    [
        "-----BEGIN RSA PRIVATE KEY-----\nhunter22",
        "token-abcde:" + "hunter22" * 7,
        "kubeconfig-u-x7k2p:" + "hunter22" * 7,
    ],
)
def test_a_key_or_token_under_a_harmless_name_is_refused_and_not_shown(value: str) -> None:
    problem = mistake(_rancher(environment={"FOO": value}))
    assert "holds a private key or an API token" in problem.rule
    assert "hunter22" not in str(problem)


@pytest.mark.parametrize("value", ["info\n", " info", "info\u00a0"])
def test_white_space_around_a_value_is_refused(value: str) -> None:
    problem = mistake(_rancher(environment={"CATTLE_LOG": value}))
    assert problem.key.endswith("environment.CATTLE_LOG")
    assert "white space" in problem.rule


def test_a_proxy_needs_an_exception_that_says_something() -> None:
    environment = {"HTTP_PROXY": "http://proxy.example.com:3128", "NO_PROXY": ""}
    assert mistake(_rancher(environment=environment)).key.endswith("environment.NO_PROXY")


@pytest.mark.parametrize(
    "value", ["http://user:hunter22@proxy.example.com:3128", "user:hunter22@proxy.example.com"]
)
def test_a_login_in_a_proxys_address_is_refused_and_not_shown(value: str) -> None:
    problem = mistake(_rancher(environment={"HTTP_PROXY": value, **_NO_PROXY}))
    assert "with a login in it" in problem.rule
    assert "hunter22" not in str(problem)


@pytest.mark.parametrize(
    "name",
    [
        "ACME_DOMAIN",
        "CATTLE_BOOTSTRAP_PASSWORD",
        "CATTLE_SERVER_URL",
        "CATTLE_SYSTEM_DEFAULT_REGISTRY",
    ],
)
def test_what_the_program_sets_itself_is_refused(name: str) -> None:
    assert "is this program's to decide" in mistake(_rancher(environment={name: "x"})).rule


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy"])
def test_a_proxy_without_exceptions_is_refused(name: str) -> None:
    problem = mistake(_rancher(environment={name: "http://proxy.example.com:3128"}))
    assert problem.key.endswith("environment.NO_PROXY")


def test_a_name_that_is_none_and_a_registry_with_a_scheme_are_refused() -> None:
    assert "no name of an environment" in mistake(_rancher(environment={"A B": "x"})).rule
    problem = mistake(_rancher(systemDefaultRegistry="https://r.example"))
    assert "Write the registry without scheme" in problem.remedy


@pytest.mark.parametrize(
    ("mount", "key"),
    [
        ({"hostPath": "/srv/a:b", "containerPath": "/b"}, "hostPath"),
        ({"hostPath": "/srv", "containerPath": "/b:c"}, "containerPath"),
        ({"hostPath": "/srv", "containerPath": "/"}, "containerPath"),
    ],
)
def test_a_mount_that_docker_would_not_make_is_refused(mount: dict[str, str], key: str) -> None:
    assert mistake(_rancher(extraMounts=[mount])).key.endswith(f"extraMounts[0].{key}")


@pytest.mark.parametrize("path", ["/var/lib/rancher", "/var/lib/rancher/x", "/etc/rancher/ssl"])
def test_a_mount_over_the_programs_own_is_refused(path: str) -> None:
    mounts = [{"hostPath": "/srv", "containerPath": path}]
    assert "this program puts" in mistake(_rancher(extraMounts=mounts)).rule


def test_two_mounts_in_one_place_are_refused() -> None:
    mounts = [{"hostPath": each, "containerPath": "/x"} for each in ("/a", "/b")]
    assert [problem.rule for problem in mistakes(_rancher(extraMounts=mounts))] == [
        "is mounted twice"
    ]


def _agent(**keys: Any) -> Any:
    return valid(stages={"rancherImport": True}, rancherImport=keys)


def test_environment_and_hosts_entries_reach_the_agent_and_the_environment_rancher_too() -> None:
    environment = {"HTTPS_PROXY": "http://proxy.example.com:3128", **_NO_PROXY}
    aliases = [{"ip": "192.0.2.10", "hostnames": ["Rancher.Example.com"]}]
    recording = run(_agent(agentEnvironment=environment, hostAliases=aliases))
    assert recording.named("rancher-registration").inputs["agent_environment"] == environment
    connection = recording.named("rancher-agent-connection").inputs
    assert connection["environment"] == environment
    assert connection["host_aliases"] == {"192.0.2.10": ["rancher.example.com"]}
    pod = recording.named("rancher-agent-deployment").inputs["spec"]["template"]["spec"]
    told = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    assert environment.items() <= told.items()
    assert pod["hostAliases"] == [{"ip": "192.0.2.10", "hostnames": ["rancher.example.com"]}]


def test_an_agent_that_is_given_nothing_leaves_rancher_s_field_to_others() -> None:
    recording = run(_agent())
    assert recording.named("rancher-registration").inputs.get("agent_environment") is None
    connection = recording.named("rancher-agent-connection").inputs
    assert connection.get("environment") is None
    assert connection.get("host_aliases") is None


@pytest.mark.parametrize(
    ("environment", "key", "rule"),
    [
        ({"GITHUB_TOKEN": "hunter22"}, "GITHUB_TOKEN", "the name of a secret"),
        ({"HTTP_PROXY": "http://a:hunter22@proxy", "NO_PROXY": "x"}, "HTTP_PROXY", "a login in it"),
        ({"CATTLE_SERVER": "https://hunter22"}, "CATTLE_SERVER", "is this program's to decide"),
        ({"CATTLE_FEATURES": "hunter22"}, "CATTLE_FEATURES", "is this program's to decide"),
        ({"https_proxy": "http://hunter22"}, "NO_PROXY", "so Rancher's agent would ask"),
    ],
)
def test_the_agents_environment_is_held_to_the_same(
    environment: dict[str, str], key: str, rule: str
) -> None:
    problem = mistake(_agent(agentEnvironment=environment))
    assert problem.key == f"longhorn-rancher:rancherImport.agentEnvironment.{key}"
    assert rule in problem.rule
    assert "hunter22" not in str(problem)


@pytest.mark.parametrize(
    ("alias", "key", "rule"),
    [
        ({"ip": "192.0.2", "hostnames": ["a"]}, "ip", "must be an IP address"),
        ({"ip": "0.0.0.0", "hostnames": ["a"]}, "ip", "no host can have"),  # noqa: S104
        ({"ip": "fe80::1%eth0", "hostnames": ["a"]}, "ip", "no host can have"),
        ({"ip": "192.0.2.1", "hostnames": ["a_b"]}, "hostnames[0]", "must be a host name"),
        ({"ip": "192.0.2.1", "hostnames": ["192.0.2.2"]}, "hostnames[0]", "must be a host name"),
        ({"ip": "192.0.2.1", "hostnames": []}, "hostnames", "has no name in it"),
    ],
)
def test_a_hosts_entry_that_kubernetes_would_refuse_is_refused(
    alias: dict[str, Any], key: str, rule: str
) -> None:
    problem = mistake(_agent(hostAliases=[alias]))
    assert problem.key == f"longhorn-rancher:rancherImport.hostAliases[0].{key}"
    assert rule in problem.rule


def test_an_address_or_a_name_with_two_hosts_entries_is_refused_and_two_kinds_are_not() -> None:
    def entries(*given: tuple[str, str]) -> Any:
        return _agent(hostAliases=[{"ip": ip, "hostnames": [name]} for ip, name in given])

    twice = mistake(entries(("2001:db8::1", "a.example"), ("2001:db8:0::1", "b.example")))
    assert twice.key.endswith("hostAliases[1].ip")
    other = mistake(entries(("192.0.2.1", "a.example"), ("192.0.2.2", "A.example")))
    assert other.key.endswith("hostAliases[1].hostnames")
    assert mistakes(entries(("192.0.2.1", "a.example"), ("2001:db8::1", "a.example"))) == []
