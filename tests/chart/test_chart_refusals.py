"""Values that do not go together are refused, and the refusal says what to do instead."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.chart import EXTERNAL, MATRIX, POSTGRESQL, Values, render
from tools.chart import schema

# Labels that the chart gives its pods.
OURS = schema()["properties"]["podLabels"]["propertyNames"]["not"]["enum"]
SECRETS = {"existingSecret": "s", "keys": ["PSEUDONYM_KEY"]}
PUBLIC = {"egressAllow": ["api.example.org:443"]}
INGRESS = {"enabled": True, "host": "a.example", "tlsSecretName": "tls"}


def scaled(**autoscaling: Any) -> Values:
    return {**POSTGRESQL, "autoscaling": {"enabled": True, **autoscaling}}


def demo(**others: Any) -> Values:
    """Return the values of the demonstration with some changed."""
    values = json.loads(json.dumps(MATRIX["demo"]))
    for name, change in others.items():
        values[name] = {**values.get(name, {}), **change} if isinstance(change, dict) else change
    return {
        **values,
        "demo": {**values["demo"], "core": {"enabled": True, **values["demo"]["core"]}},
    }


REFUSED: Mapping[str, tuple[Values, str]] = {
    "two writers": ({"replicas": 2}, "set replicas to 1, or store.kind to postgresql"),
    "scaled writers": ({"autoscaling": {"enabled": True}}, "set it to false, or store.kind"),
    "overlapping writers": ({"strategy": "RollingUpdate"}, "leave strategy empty"),
    "no database": (
        {"store": {"kind": "postgresql"}, "secrets": SECRETS},
        "name the Secret whose key store.postgresql.key",
    ),
    "a key for each pod": ({**POSTGRESQL, "secrets": {}}, "list it in secrets.keys"),
    "no way to the database": (
        {
            "store": {"kind": "postgresql", "postgresql": {"existingSecret": "db"}},
            "secrets": SECRETS,
        },
        "either by podLabels",
    ),
    "two ways to the database": (
        {
            "store": {
                "kind": "postgresql",
                "postgresql": {
                    "existingSecret": "db",
                    "egress": {"podLabels": {"a": "b"}, "cidr": "192.0.2.0/24"},
                },
            },
            "secrets": SECRETS,
        },
        "not both and not neither",
    ),
    "two tokens": (
        {
            "demo": {"createSecrets": True, "token": "demo-only-a"},
            "core": {"registrationSecretName": "mine"},
        },
        "set one of the two",
    ),
    "no demo token": ({"demo": {"createSecrets": True}}, "give one that begins with demo-only-"),
    "a real token": (
        {"demo": {"createSecrets": True, "token": "hunter2"}},
        "must begin with demo-only-",
    ),
    "a demo token in earnest": (
        {"demo": {"token": "demo-only-a"}},
        "set demo.createSecrets to true",
    ),
    "two webhook secrets": (
        {
            "demo": {"createSecrets": True, "token": "demo-only-a", "webhookSecret": "demo-only-b"},
            "secrets": {"existingSecret": "s", "keys": ["WEBHOOK_SECRETS"]},
        },
        "set one of the two",
    ),
    "a real webhook secret": (
        {"demo": {"createSecrets": True, "token": "demo-only-a", "webhookSecret": "whsec_aa"}},
        "must begin with demo-only-",
    ),
    "a demo without words": (
        {"demo": {"core": {"enabled": True}}},
        "set demo.createSecrets to true",
    ),
    "a demo without deliveries": (demo(demo={"webhookSecret": ""}), "both demo.token and"),
    "two cores": (demo(core={"baseURL": "http://core-api.mosaic.svc"}), "leave it out, or set"),
    "two policies for core": (
        demo(networkPolicy={"coreSide": {"enabled": True}}),
        "set it to false",
    ),
    "a demo elsewhere": (demo(publicURL="https://a.example"), "leave publicURL, ui.remoteURL"),
    "one port twice": (demo(demo={"core": {"port": 8081}}), "choose another"),
    "a shared file": (
        {"service": {"shared": True}},
        "set store.kind to postgresql, or service.shared",
    ),
    "half a control plane": (
        {"networkPolicy": {"mesh": {"controlPlane": {"podLabels": {"app": "istiod"}}}}},
        "set both, or neither",
    ),
    "two sources of secrets": (
        {**EXTERNAL, "core": {"registrationSecretName": "mine"}},
        "leave core.registrationSecretName, secrets.existingSecret and demo.createSecrets out",
    ),
    "a store without a name": (
        {"externalSecret": {"enabled": True, "renderMode": "alwaysRender"}},
        "name the store (storeName)",
    ),
    "nobody to fetch secrets": (
        {
            **EXTERNAL,
            "externalSecret": {**EXTERNAL["externalSecret"], "renderMode": "failIfMissing"},
        },
        "install the External Secrets Operator",
    ),
    "a remote elsewhere": (
        {"ui": {"remoteURL": "https://cdn.example.org/a/remoteEntry.js"}},
        "host name cdn.example.org",
    ),
    "keys of no Secret": ({"secrets": {"keys": ["PSEUDONYM_KEY"]}}, "name the Secret and list"),
    "a Secret without keys": ({"secrets": {"existingSecret": "s"}}, "name the Secret and list"),
    "fewer than fewest": (scaled(minReplicas=5, maxReplicas=2), "raise the one or lower"),
    "shares of nothing": (
        {**scaled(), "resources": {"requests": {"cpu": None}}},
        "resources.requests.cpu: is missing",
    ),
    "killed at work": ({"config": {"STOP_GRACE_SECONDS": 30}}, "raise it to at least that"),
    "a role without token": ({"rbac": {"create": True}}, "set serviceAccount.automount to true"),
    "rights for all": (
        {"rbac": {"create": True}, "serviceAccount": {"create": False, "automount": True}},
        "set serviceAccount.create to true",
    ),
    "no host": ({"ingress": {**INGRESS, "host": ""}}, "name the host"),
    "no certificate": ({"ingress": {**INGRESS, "tlsSecretName": ""}}, "name the Secret"),
    "public metrics": ({"ingress": {**INGRESS, "apiPaths": ["/metrics"]}}, "list paths below"),
    "everything public": ({"ingress": {**INGRESS, "apiPaths": ["/"]}}, "list paths below"),
    "a host name": ({"networkPolicy": PUBLIC}, "set networkPolicy.fqdnMode to proxy or cilium"),
    "core by a public name": (
        {"core": {"baseURL": "https://core.example.org"}},
        "host name core.example.org",
    ),
    "an unknown service": (
        {"networkPolicy": {"egressAllow": ["hub.tools.svc.cluster.local:80"]}},
        'set networkPolicy.services."hub.tools.svc.cluster.local"',
    ),
    "an unknown short name": (
        {"networkPolicy": {"egressAllow": ["hub:80"]}},
        'set networkPolicy.services."hub"',
    ),
    "a scrape that never ends": (
        {"serviceMonitor": {"interval": "1m", "scrapeTimeout": "60s"}},
        "60s is not less than serviceMonitor.interval, 1m; lower the one",
    ),
    "no operator": (
        {"serviceMonitor": {"renderMode": "failIfMissing"}},
        "install the Prometheus operator",
    ),
    "spans through a proxy": (
        {
            "networkPolicy": {"fqdnMode": "proxy"},
            "otel": {"endpoint": "https://otlp.example.org"},
        },
        "name a collector of the cluster",
    ),
    "spans to somewhere": (
        {"otel": {"endpoint": "https://otlp.example.org"}},
        "or networkPolicy.acknowledgeBroadEgress",
    ),
    "rules without a monitor": (
        {"prometheusRule": {"enabled": True}, "serviceMonitor": {"enabled": False}},
        "set serviceMonitor.enabled to true as well",
    ),
}
MISSHAPEN: Mapping[str, Values] = {
    "the latest tag": {"image": {"tag": "latest"}},
    "a short digest": {"image": {"digest": "sha256:abc"}},
    "no port": {"networkPolicy": {"egressAllow": ["core.svc.cluster.local"]}},
    "peers by no label": {"core": {"podLabels": {"app.kubernetes.io/name": None}}},
    **{f"the label {label}": {"podLabels": {label: "other"}} for label in OURS},
    "a volume of the node": {"extraVolumes": [{"name": "a", "hostPath": {"path": "/"}}]},
    "a volume of ours": {"extraVolumes": [{"name": "data", "emptyDir": {}}]},
    "a level nobody knows": {"config": {"LOG_LEVEL": "loud"}},
    "a setting decided elsewhere": {"config": {"PORT": 8000}},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_what_to_do(name: str) -> None:
    """No combination that cannot work renders, and nobody has to guess the remedy."""
    values, remedy = REFUSED[name]

    assert remedy in render(values).refusal


@pytest.mark.parametrize("name", MISSHAPEN)
def test_the_schema_refuses_what_has_the_wrong_shape(name: str) -> None:
    """A value of the wrong form is named with its place."""
    assert "don't meet the specifications of the schema" in render(MISSHAPEN[name]).refusal


def test_every_label_of_the_chart_is_kept_from_podlabels() -> None:
    """None that a selector or a report stands on can be replaced by a value (R36)."""
    assert set(render().pod["metadata"]["labels"]) == set(OURS)
