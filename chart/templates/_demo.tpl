{{/* The core of a demonstration: it stands beside the plugin, and knows this one only. */}}

{{- define "demo.coreName" -}}
{{- include "plugin.fullname" . -}}-demo-core
{{- end -}}

{{- define "demo.coreSelectorLabels" -}}
{{ include "plugin.instanceLabels" . }}
app.kubernetes.io/component: demo-core
{{- end -}}

{{- define "demo.coreLabels" -}}
{{ include "demo.coreSelectorLabels" . }}
{{ include "plugin.describingLabels" . }}
{{- end -}}

{{/* What signs must be base64, so the plain word is wrapped here and not in the values. */}}
{{- define "demo.webhookSecret" -}}
whsec_{{ .Values.demo.webhookSecret | b64enc }}
{{- end -}}

{{/* Core is the plugins' way out where they may not go themselves. */}}
{{- define "demo.hasProxy" -}}
{{- if eq .Values.networkPolicy.fqdnMode "proxy" -}}yes{{- end -}}
{{- end -}}

{{- define "demo.corePorts" -}}
{{- $ports := list .Values.demo.core.port -}}
{{- if include "demo.hasProxy" . -}}{{- $ports = append $ports .Values.demo.core.proxyPort -}}{{- end -}}
{{- toYaml $ports -}}
{{- end -}}

{{/* What core lets this plugin do: both sides of one agreement come from the same values. */}}
{{- define "demo.grants" -}}
{{- $grant := dict
  "tokens" (list .Values.demo.token)
  "webhookSecrets" (list (include "demo.webhookSecret" .))
  "urls" (list (include "plugin.url" .))
-}}
{{- dict (include "plugin.id" .) $grant | toJson -}}
{{- end -}}

{{- define "demo.coreEnv" -}}
- {name: CORE_HOST, value: 0.0.0.0}
- {name: CORE_PORT, value: {{ .Values.demo.core.port | quote }}}
- {name: CORE_PLUGINS_FILE, value: /run/secrets/core/plugins.json}
- {name: CORE_FEED, value: "on"}
- {name: CORE_FEED_SECONDS, value: {{ .Values.demo.core.feedSeconds | quote }}}
{{- if include "demo.hasProxy" . }}
- {name: CORE_EGRESS, value: "on"}
- {name: CORE_EGRESS_PORT, value: {{ .Values.demo.core.proxyPort | quote }}}
{{- else }}
- {name: CORE_EGRESS, value: "off"}
{{- end }}
{{- if not .Values.config.SELF_REGISTER }}
- {name: PLUGIN_BACKEND_URL, value: {{ include "plugin.url" . }}}
{{- end }}
- {name: HOME, value: /tmp}
- {name: PYTHONDONTWRITEBYTECODE, value: "1"}
{{- end -}}

{{/* Where core goes for the plugin: public addresses, on the ports of the hosts that it may name. */}}
{{- define "demo.proxyEgress" -}}
{{- $ports := list -}}
{{- if include "demo.hasProxy" . -}}
{{- range include "plugin.targets" . | fromYamlArray -}}
{{- if eq .kind "name" -}}{{- $ports = append $ports .port -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- with uniq $ports }}
- to:
  {{- include "plugin.addressPeer" "0.0.0.0/0" | nindent 2 }}
  ports:
  {{- include "plugin.tcp" . | nindent 2 }}
{{- end -}}
{{- end -}}
