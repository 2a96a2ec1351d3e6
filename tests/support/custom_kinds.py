"""The forms of the custom kinds that the chart renders, as JSON Schema in which every object is closed.

They hold the fields that the chart uses, as their operators define them: a cluster's API server would
drop a name that it does not know, and nobody would learn of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Form = dict[str, Any]

TEXT: Form = {"type": "string", "minLength": 1}
DURATION: Form = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"}
TEXTS: Form = {"type": "object", "additionalProperties": TEXT}


def record(fields: Mapping[str, Form], *, optional: Sequence[str] = ()) -> Form:
    """Return the form of an object with exactly these fields."""
    required = [name for name in fields if name not in optional]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": dict(fields),
    }


def several(*forms: Form) -> Form:
    """Return the form of a list that is not empty, each item in one of the forms."""
    return {"type": "array", "minItems": 1, "items": {"oneOf": list(forms)}}


def one_of(*words: str) -> Form:
    return {"enum": list(words)}


SELECTOR = record({"matchLabels": {**TEXTS, "minProperties": 1}})
CILIUM_PORTS = several(
    record(
        {
            "port": {"type": "string", "pattern": "^[0-9]{1,5}$"},
            "protocol": one_of("TCP", "UDP", "ANY"),
        }
    )
)
RECORDING_RULE = record({"record": TEXT, "expr": TEXT, "labels": TEXTS}, optional=["labels"])
ALERT = record(
    {
        "alert": TEXT,
        "expr": TEXT,
        "for": DURATION,
        "keep_firing_for": DURATION,
        "labels": TEXTS,
        "annotations": TEXTS,
    },
    optional=["for", "keep_firing_for"],
)
FORMS: Mapping[str, Form] = {
    "monitoring.coreos.com/v1/ServiceMonitor": record(
        {
            "selector": SELECTOR,
            "namespaceSelector": record({"matchNames": several(TEXT)}),
            "targetLabels": several(TEXT),
            "endpoints": several(
                record(
                    {
                        "port": TEXT,
                        "path": {"type": "string", "pattern": "^/"},
                        "interval": DURATION,
                        "scrapeTimeout": DURATION,
                    }
                )
            ),
        }
    ),
    "monitoring.coreos.com/v1/PrometheusRule": record(
        {
            "groups": several(
                record(
                    {"name": TEXT, "interval": DURATION, "rules": several(RECORDING_RULE, ALERT)},
                    optional=["interval"],
                )
            )
        }
    ),
    "cilium.io/v2/CiliumNetworkPolicy": record(
        {
            "endpointSelector": SELECTOR,
            "egress": several(
                record(
                    {
                        "toEndpoints": several(SELECTOR),
                        "toPorts": several(
                            record(
                                {
                                    "ports": CILIUM_PORTS,
                                    "rules": record(
                                        {"dns": several(record({"matchPattern": TEXT}))}
                                    ),
                                }
                            )
                        ),
                    }
                ),
                record(
                    {
                        "toFQDNs": several(record({"matchName": TEXT})),
                        "toPorts": several(record({"ports": CILIUM_PORTS})),
                    }
                ),
            ),
        }
    ),
    "external-secrets.io/v1/ExternalSecret": record(
        {
            "refreshInterval": DURATION,
            "secretStoreRef": record(
                {"name": TEXT, "kind": one_of("SecretStore", "ClusterSecretStore")}
            ),
            "target": record({"name": TEXT, "creationPolicy": one_of("Owner", "Orphan", "Merge")}),
            "data": several(
                record(
                    {"secretKey": TEXT, "remoteRef": record({"key": TEXT, "property": TEXT})},
                )
            ),
        }
    ),
}
