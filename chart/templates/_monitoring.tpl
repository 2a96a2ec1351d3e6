{{/* Objects of the Prometheus operator stand where its kinds are known. */}}
{{- define "plugin.rendersServiceMonitor" -}}
{{- $kind := "monitoring.coreos.com/v1/ServiceMonitor" -}}
{{- with .Values.serviceMonitor -}}
{{- if .enabled -}}
{{- if or (eq .renderMode "alwaysRender") ($.Capabilities.APIVersions.Has $kind) -}}
yes
{{- else if eq .renderMode "failIfMissing" -}}
{{- fail (printf "serviceMonitor.renderMode: this cluster does not know %s; install the Prometheus operator, or set it to skipIfMissing" $kind) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
