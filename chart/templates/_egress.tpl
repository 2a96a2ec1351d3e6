{{/* From names to peers: a NetworkPolicy knows pods and addresses, never host names. */}}

{{/* Ranges that "the internet" does not include; the last holds a cloud's metadata service. */}}
{{- define "plugin.privateRanges" -}}
[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 169.254.0.0/16]
{{- end -}}

{{/* One peer: pods with these labels in this namespace. One element, so both must hold. */}}
{{- define "plugin.peer" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .namespace }}
  podSelector:
    matchLabels:
      {{- toYaml .podLabels | nindent 6 }}
{{- end -}}

{{- define "plugin.addressPeer" -}}
- ipBlock:
    cidr: {{ contains "/" . | ternary . (printf "%s/32" .) }}
    {{- if hasSuffix "/0" . }}
    except: {{ include "plugin.privateRanges" $ }}
    {{- end }}
{{- end -}}

{{- define "plugin.tcp" -}}
{{- range $index, $port := . }}
{{- if $index }}
{{ end -}}
- {protocol: TCP, port: {{ int $port }}}
{{- end }}
{{- end -}}

{{/* Between two pods a mesh may carry everything on a port of its own: {root, ports}. */}}
{{- define "plugin.podTcp" -}}
{{- include "plugin.tcp" (concat .ports .root.Values.networkPolicy.mesh.ports) -}}
{{- end -}}

{{- define "plugin.ownTcp" -}}
{{- include "plugin.podTcp" (dict "root" . "ports" (list .Values.service.port)) -}}
{{- end -}}

{{- define "plugin.meshEgress" -}}
{{- with .Values.networkPolicy.mesh.controlPlane -}}
{{- if .podLabels -}}
- to:
  {{- include "plugin.peer" . | nindent 2 }}
  ports:
  {{- include "plugin.tcp" .podPorts | nindent 2 }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "plugin.isInCluster" -}}
{{- if regexMatch "^[^.]+$|\\.svc$|\\.svc\\." . -}}yes{{- end -}}
{{- end -}}

{{- define "plugin.coreIsInCluster" -}}
{{- include "plugin.isInCluster" (urlParse (include "plugin.coreURL" .)).hostname -}}
{{- end -}}

{{/* Core's pods as a peer, with the ports on which they listen. */}}
{{- define "plugin.corePods" -}}
{{- if .Values.demo.core.enabled -}}
namespace: {{ .Release.Namespace }}
podLabels:
  {{- include "demo.coreSelectorLabels" . | nindent 2 }}
podPorts:
{{ include "demo.corePorts" . }}
{{- else -}}
{{- pick .Values.core "namespace" "podLabels" "podPorts" | toYaml -}}
{{- end -}}
{{- end -}}

{{- define "plugin.collectorIsOutside" -}}
{{- with .Values.otel.endpoint -}}
{{- if not (include "plugin.isInCluster" (urlParse .).hostname) -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* What a host is: core, service, address or name. The contract's own name for core is core. */}}
{{- define "plugin.kindOfHost" -}}
{{- $host := .host -}}
{{- $values := .root.Values -}}
{{- $core := (urlParse (include "plugin.coreURL" .root)).hostname -}}
{{- if or (eq $host "core.svc.cluster.local") (and (eq $host $core) (include "plugin.isInCluster" $host)) -}}
core
{{- else if hasKey $values.networkPolicy.services $host -}}
service
{{- else if regexMatch "^[0-9.]+(/[0-9]+)?$" $host -}}
address
{{- else if include "plugin.isInCluster" $host -}}
{{- fail (printf "networkPolicy.egressAllow: which pods are %s? set networkPolicy.services.%q to their namespace, podLabels and podPorts" $host $host) -}}
{{- else -}}
name
{{- end -}}
{{- end -}}

{{/* Host and port of a URL. */}}
{{- define "plugin.targetOf" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind "[0-9]+$" (trimPrefix $url.hostname $url.host) | default (eq $url.scheme "https" | ternary "443" "80") -}}
{{- printf "%s:%s" $url.hostname $port -}}
{{- end -}}

{{/* The allowed targets, each once: {host, port, kind}. A core or a collector outside the cluster is one of
them, and a CDN: readiness asks whether the remote is there. */}}
{{- define "plugin.targets" -}}
{{- $entries := .Values.networkPolicy.egressAllow -}}
{{- if not (include "plugin.coreIsInCluster" .) -}}
{{- $entries = append $entries (include "plugin.targetOf" (include "plugin.coreURL" .)) -}}
{{- end -}}
{{- if include "plugin.collectorIsOutside" . -}}
{{- $entries = append $entries (include "plugin.targetOf" .Values.otel.endpoint) -}}
{{- end -}}
{{- with .Values.ui.remoteURL -}}
{{- $entries = append $entries (include "plugin.targetOf" .) -}}
{{- end -}}
{{- range uniq $entries }}
{{- $host := regexReplaceAll ":[0-9]+$" . "" }}
- {host: {{ $host | quote }}, port: {{ regexFind "[0-9]+$" . }}, kind: {{ include "plugin.kindOfHost" (dict "host" $host "root" $) }}}
{{- end }}
{{- end -}}

{{/* The rules that follow from egressAllow, beyond core's own. */}}
{{- define "plugin.allowedEgress" -}}
{{- $names := list -}}
{{- $services := list -}}
{{- range include "plugin.targets" . | fromYamlArray -}}
{{- if eq .kind "service" -}}
{{- $services = append $services .host -}}
{{- else if eq .kind "address" }}
- to:
  {{- include "plugin.addressPeer" .host | nindent 2 }}
  ports:
  {{- include "plugin.tcp" (list .port) | nindent 2 }}
{{- else if eq .kind "name" -}}
{{- $names = append $names . -}}
{{- end -}}
{{- end -}}
{{- range uniq $services }}
{{- $service := get $.Values.networkPolicy.services . }}
- to:
  {{- include "plugin.peer" $service | nindent 2 }}
  ports:
  {{- include "plugin.tcp" $service.podPorts | nindent 2 }}
{{- end -}}
{{- with $names -}}
{{- include "plugin.namedEgress" (dict "root" $ "names" .) -}}
{{- end -}}
{{- end -}}

{{/* Hosts of the internet: through a proxy, by Cilium's own policy, or broadly and knowingly. */}}
{{- define "plugin.namedEgress" -}}
{{- $policy := .root.Values.networkPolicy -}}
{{- if eq $policy.fqdnMode "proxy" -}}
{{- with $policy.proxy.podLabels }}
- to:
  {{- include "plugin.peer" $policy.proxy | nindent 2 }}
  ports:
  {{- include "plugin.tcp" (list $policy.proxy.podPort) | nindent 2 }}
{{- end -}}
{{- else if eq $policy.fqdnMode "none" -}}
{{- if not $policy.acknowledgeBroadEgress -}}
{{- fail (printf "networkPolicy.egressAllow: a plain NetworkPolicy cannot match the host name %s; set networkPolicy.fqdnMode to proxy or cilium, or networkPolicy.acknowledgeBroadEgress to true" (first .names).host) -}}
{{- end -}}
{{- $ports := list -}}
{{- range .names -}}{{- $ports = append $ports .port -}}{{- end }}
- to:
  {{- include "plugin.addressPeer" "0.0.0.0/0" | nindent 2 }}
  ports:
  {{- include "plugin.tcp" (uniq $ports) | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "plugin.dnsEgress" -}}
{{- with .Values.networkPolicy.dns -}}
- to:
  {{- include "plugin.peer" . | nindent 2 }}
  {{- range .extraCIDRs }}
  {{- include "plugin.addressPeer" . | nindent 2 }}
  {{- end }}
  ports:
  - {protocol: UDP, port: {{ .port }}}
  - {protocol: TCP, port: {{ .port }}}
{{- end -}}
{{- end -}}
