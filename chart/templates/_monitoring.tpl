{{/* Objects of the Prometheus operator stand where its kinds are known: {root, section, kind}. */}}
{{- define "plugin.rendersMonitoring" -}}
{{- $kind := printf "monitoring.coreos.com/v1/%s" .kind -}}
{{- with get .root.Values .section -}}
{{- if .enabled -}}
{{- if or (eq .renderMode "alwaysRender") ($.root.Capabilities.APIVersions.Has $kind) -}}
yes
{{- else if eq .renderMode "failIfMissing" -}}
{{- fail (printf "%s.renderMode: this cluster does not know %s; install the Prometheus operator, or set it to skipIfMissing" $.section $kind) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "plugin.rendersServiceMonitor" -}}
{{- include "plugin.rendersMonitoring" (dict "root" . "section" "serviceMonitor" "kind" "ServiceMonitor") -}}
{{- end -}}

{{- define "plugin.rendersRules" -}}
{{- include "plugin.rendersMonitoring" (dict "root" . "section" "prometheusRule" "kind" "PrometheusRule") -}}
{{- end -}}

{{/* The rules of this release's own target: the job of a scraped Service is the Service's name. */}}
{{- define "plugin.rules" -}}
{{- .Files.Get "files/rules.yaml"
  | replace "\"$job\"" (include "plugin.fullname" . | quote)
  | replace "\"$namespace\"" (quote .Release.Namespace)
  | replace "$runbooks" .Values.prometheusRule.runbooks -}}
{{- end -}}
