"""Judge a pod by the Pod Security standard "restricted" of Kubernetes 1.32 and later.

Own words for what the standard's page lists; `violations` names each control that a pod breaks.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Part = Mapping[str, Any]

VOLUMES = frozenset(
    {
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image"),
        *("persistentVolumeClaim", "projected", "secret"),
    }
)
SYSCTLS = frozenset(
    {
        *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range"),
        *("net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies"),
        *("net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"),
        *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout"),
        *("net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"),
        *("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    }
)
SELINUX_TYPES = frozenset(
    {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
)
CONFINED = frozenset({"RuntimeDefault", "Localhost"})
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def violations(spec: Part, annotations: Part | None = None) -> set[str]:
    """Return the controls that a pod's spec, and its annotations, break."""
    found = set(_of_pod(spec))
    if any(not _is_confined(key, value) for key, value in (annotations or {}).items()):
        found.add("AppArmor")
    pod = _security(spec)
    for container in _containers(spec):
        found.update(_of_any(_security(container)))
        found.update(_of_container(spec, container))
        found.update(_of_identity(pod, _security(container), is_mapped=_is_mapped(spec)))
    return found


def _security(part: Part) -> Part:
    return part.get("securityContext") or {}


def _containers(spec: Part) -> Iterator[Part]:
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        yield from spec.get(kind) or ()


def _is_mapped(spec: Part) -> bool:
    """Tell whether the pod's root is not the node's: a user namespace relaxes the identity."""
    return spec.get("hostUsers") is False


def _is_windows(spec: Part) -> bool:
    return bool((spec.get("os") or {}).get("name") == "windows")


def _is_confined(key: str, value: str) -> bool:
    named = value in {"", "runtime/default"} or value.startswith("localhost/")
    return named or not key.startswith(APPARMOR)


def _of_pod(spec: Part) -> Iterator[str]:
    if any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield "host namespaces"
    if any(set(volume) - {"name"} - VOLUMES for volume in spec.get("volumes") or ()):
        yield "volume types"
    pod = _security(spec)
    if any(setting["name"] not in SYSCTLS for setting in pod.get("sysctls") or ()):
        yield "sysctls"
    if pod.get("runAsUser") == 0 and not _is_mapped(spec):
        yield "user"
    yield from _of_any(pod)


def _of_any(context: Part) -> Iterator[str]:
    """Yield what a context breaks, be it a pod's or a container's."""
    linux = context.get("seLinuxOptions") or {}
    if linux.get("user") or linux.get("role") or linux.get("type") not in SELINUX_TYPES:
        yield "SELinux"
    if (context.get("appArmorProfile") or {}).get("type") not in CONFINED | {None}:
        yield "AppArmor"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield "host process"
    if (context.get("seccompProfile") or {}).get("type") not in CONFINED | {None}:
        yield "seccomp"
    if context.get("privileged"):
        yield "privileged"
    if context.get("procMount") not in {None, "", "Default"}:
        yield "proc mount"


def _of_container(spec: Part, container: Part) -> Iterator[str]:
    own, capabilities = _security(container), _security(container).get("capabilities") or {}
    if set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
        yield "capabilities"
    if any(port.get("hostPort") for port in container.get("ports") or ()):
        yield "host ports"
    if any(_names_host(handler) for handler in _handlers(container)):
        yield "host of a probe"
    if _is_windows(spec):
        return
    if own.get("allowPrivilegeEscalation") is not False:
        yield "privilege escalation"
    if "ALL" not in (capabilities.get("drop") or ()):
        yield "capabilities"
    profiles = [(part.get("seccompProfile") or {}).get("type") for part in (own, _security(spec))]
    if (profiles[0] or profiles[1]) not in CONFINED:
        yield "seccomp"


def _of_identity(pod: Part, own: Part, *, is_mapped: bool) -> Iterator[str]:
    if is_mapped:
        return
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "non-root"
    if own.get("runAsUser") == 0:
        yield "user"


def _handlers(container: Part) -> Iterator[Part]:
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        yield container.get(kind) or {}
    yield from (container.get("lifecycle") or {}).values()


def _names_host(handler: Part) -> bool:
    return any((handler.get(kind) or {}).get("host") for kind in ("httpGet", "tcpSocket"))
