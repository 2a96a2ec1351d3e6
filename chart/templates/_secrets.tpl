{{/* A Secret that an operator fetches from a store; without the operator no pod would ever start. */}}
{{- define "plugin.rendersExternalSecret" -}}
{{- $kind := "external-secrets.io/v1/ExternalSecret" -}}
{{- with .Values.externalSecret -}}
{{- if .enabled -}}
{{- if or (eq .renderMode "alwaysRender") ($.Capabilities.APIVersions.Has $kind) -}}
yes
{{- else -}}
{{- fail (printf "externalSecret.enabled: this cluster does not know %s; install the External Secrets Operator, or set externalSecret.renderMode to alwaysRender where no cluster is asked" $kind) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
