"""Render the chart with the real Helm, over the sets of values that the tests share."""

import functools
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mosaiclife_plugin_sdk import load_manifest
from tools import programs
from tools.chart import CHART
from tools.workspace import ROOT

MANIFEST = load_manifest(ROOT / "plugin.yaml")
FOLDER = ROOT / "tests/chart"
RELEASE, NAMESPACE = "one", "plugins"
MONITOR = "monitoring.coreos.com/v1/ServiceMonitor"
DIGEST = f"sha256:{'1' * 64}"

Object = dict[str, Any]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Rendered:
    """What `helm template` printed, or why it refused."""

    text: str
    refusal: str

    @property
    def objects(self) -> list[Object]:
        assert not self.refusal, self.refusal
        read: list[Object] = json.loads(_parsed(self.text))
        return read

    def of_kind(self, kind: str) -> list[Object]:
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind: str) -> Object:
        """Return the plugin's own object of a kind; those of test and demo are named after it."""
        found = [one for one in self.of_kind(kind) if component_of(one) == "backend"]
        assert len(found) == 1, [name_of(one) for one in found]
        return found[0]

    @property
    def pod(self) -> Object:
        template: Object = self.one("Deployment")["spec"]["template"]
        return template

    @property
    def container(self) -> Object:
        (container,) = self.pod["spec"]["containers"]
        return dict(container)

    @property
    def settings(self) -> dict[str, str]:
        (own,) = [
            one
            for one in self.of_kind("ConfigMap")
            if name_of(one) == name_of(self.one("Deployment"))
        ]
        data: dict[str, str] = own["data"]
        return data


@functools.cache
def _parsed(text: str) -> str:
    """Return the documents as JSON, which each caller reads anew and may change."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return json.dumps([one for one in yaml.load_all(text, loader) if one])


def name_of(one: Object) -> str:
    return str(one["metadata"]["name"])


def component_of(one: Object) -> str:
    return str(one["metadata"].get("labels", {}).get("app.kubernetes.io/component"))


def is_of_test(one: Object) -> bool:
    return component_of(one) == "helm-test"


def pods_in(objects: Sequence[Object]) -> Iterator[Object]:
    """Yield each pod, and each pod that another object makes."""
    for one in objects:
        if one["kind"] == "Pod":
            yield one
        elif "template" in one.get("spec", {}):
            yield one["spec"]["template"]


def render(
    values: Values | None = None,
    *,
    release: str = RELEASE,
    knows: Sequence[str] = (),
    chart: Path = CHART,
    kubernetes: str = "1.37",
) -> Rendered:
    """Render the chart; the same question is asked of Helm once."""
    return _render(json.dumps(values or {}), release, tuple(knows), chart, kubernetes)


@functools.cache
def _render(
    values: str, release: str, knows: tuple[str, ...], chart: Path, kubernetes: str
) -> Rendered:
    return fresh(values, release=release, knows=knows, chart=chart, kubernetes=kubernetes)


def fresh(
    values: str, *, release: str, knows: Sequence[str], chart: Path, kubernetes: str
) -> Rendered:
    """Ask Helm, whatever it has said before."""
    command = [str(programs.helm()), "template", release, str(chart), "--namespace", NAMESPACE]
    command += ["--kube-version", kubernetes, "--values", "-"]
    command += [word for kind in knows for word in ("--api-versions", kind)]
    done = subprocess.run(command, input=values, capture_output=True, text=True, check=False)
    return Rendered(done.stdout, done.stderr if done.returncode else "")


def values_of(file: Path) -> dict[str, Any]:
    known: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return known


POSTGRESQL: Values = {
    "store": {
        "kind": "postgresql",
        "postgresql": {"existingSecret": "db", "egress": {"podLabels": {"app": "postgres"}}},
    },
    "secrets": {"existingSecret": "plugin-secrets", "keys": ["PSEUDONYM_KEY"]},
}
EVERYTHING: Values = {
    **POSTGRESQL,
    "image": {"repo": "registry.example/team/plugin", "digest": DIGEST},
    "imagePullSecrets": [{"name": "pull"}],
    "publicURL": "https://plugin.example",
    "service": {"shared": True},
    "ui": {"remoteURL": "https://cdn.example/mf/remoteEntry.js"},
    "config": {"UI_BUNDLE_DIR": "/app/ui/dist", "LOG_LEVEL": "debug"},
    "autoscaling": {"enabled": True},
    "networkPolicy": {
        "egressAllow": ["api.example.org:443", "192.0.2.7:8443", "hub.tools.svc:80"],
        "services": {
            "hub.tools.svc": {
                "namespace": "tools",
                "podLabels": {"app": "hub"},
                "podPorts": [3000],
            }
        },
        "fqdnMode": "cilium",
        "dns": {"extraCIDRs": ["169.254.20.10"]},
        "mesh": {
            "ports": [15008],
            "controlPlane": {"podLabels": {"app": "istiod"}, "podPorts": [15012]},
        },
        "coreSide": {"enabled": True},
    },
    "serviceMonitor": {
        "renderMode": "alwaysRender",
        "additionalLabels": {"release": "prometheus"},
    },
    "prometheusRule": {
        "enabled": True,
        "renderMode": "alwaysRender",
        "additionalLabels": {"release": "prometheus"},
        "runbooks": "https://handbook.example/runbooks",
    },
    "dashboard": {"enabled": True, "annotations": {"grafana_folder": "Mosaic Life"}},
    "otel": {"endpoint": "http://otel.observability.svc:4318"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "plugin.example",
        "tlsSecretName": "tls",
        "annotations": {"example.org/a": "b"},
        "apiPaths": ["/v1/reports"],
    },
    "rbac": {"create": True},
    "serviceAccount": {"annotations": {"example.org/role": "reader"}, "automount": True},
    "podAnnotations": {"example.org/seen": "yes"},
    "podLabels": {"team": "memory"},
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "spot", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "priorityClassName": "high",
    "extraEnv": [{"name": "HOME", "value": "/data"}, {"name": "EXTRA", "value": "1"}],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": True}],
}
EXTERNAL: Values = {
    "externalSecret": {
        "enabled": True,
        "renderMode": "alwaysRender",
        "storeName": "vault",
        "path": "plugins/this",
    },
    "secrets": {"keys": ["PSEUDONYM_KEY", "WEBHOOK_SECRETS"]},
}
DEMO: Values = {
    "demo": {"createSecrets": True, "token": "demo-only-a", "webhookSecret": "demo-only-b"}
}
MATRIX: Mapping[str, Values] = {
    "defaults": {},
    "specification": values_of(FOLDER / "spec_values.yaml"),
    "production": {
        **values_of(CHART / "values-production.yaml"),
        "image": {"digest": DIGEST},
        "serviceMonitor": {"renderMode": "alwaysRender"},
    },
    "canary": values_of(CHART / "values-canary.yaml"),
    "fetched secrets": EXTERNAL,
    "demo secrets": DEMO,
    "demo": values_of(CHART / "values-demo.yaml"),
    "secrets as variables": {"secrets": {"mode": "env"}},
    "postgresql": {**POSTGRESQL, "replicas": 3},
    "everything": EVERYTHING,
}
