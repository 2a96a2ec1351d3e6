{{/* How many pods there may be, and how a new version takes over. */}}

{{/* Two processes must never open one embedded database: only another store may have company. */}}
{{- define "plugin.strategy" -}}
{{- .Values.strategy | default (eq .Values.store.kind "embedded" | ternary "Recreate" "RollingUpdate") -}}
{{- end -}}

{{- define "plugin.leastReplicas" -}}
{{- .Values.autoscaling.enabled | ternary .Values.autoscaling.minReplicas .Values.replicas -}}
{{- end -}}

{{- define "plugin.severalReplicas" -}}
{{- if gt (include "plugin.leastReplicas" . | int) 1 -}}yes{{- end -}}
{{- end -}}
