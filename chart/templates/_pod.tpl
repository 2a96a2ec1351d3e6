{{/* What every pod of the chart has in common: Pod Security "restricted", and a little more. */}}

{{- define "plugin.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "plugin.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The settings as the plugin reads them. The keys are those of configSchema in plugin.yaml. */}}
{{- define "plugin.settings" -}}
{{- $own := dict
  "CORE_BASE_URL" (include "plugin.coreURL" .)
  "PLUGIN_PUBLIC_URL" (include "plugin.publicURL" .)
  "UI_REMOTE_PATH" .Values.ui.remotePath
  "HOST" "0.0.0.0"
  "PORT" .Values.service.port
  "DATA_DIR" "/data"
  "DEMO_MODE" .Values.demo.createSecrets
-}}
{{- with .Values.ui.remoteURL }}{{ $_ := set $own "UI_REMOTE_URL" . }}{{ end -}}
{{- with .Values.otel.endpoint }}{{ $_ := set $own "OTEL_EXPORTER_OTLP_ENDPOINT" . }}{{ end -}}
{{- $texts := dict -}}
{{- range $key, $value := merge $own .Values.config -}}
{{- $_ := set $texts $key (kindIs "string" $value | ternary $value (toJson $value)) -}}
{{- end -}}
{{- toYaml $texts -}}
{{- end -}}

{{/* Where each secret comes from: variable, Secret, key. */}}
{{- define "plugin.secretSources" -}}
{{- $registration := include "plugin.registrationSecretName" . }}
{{- $external := .Values.externalSecret.enabled }}
- {name: REG_TOKEN, secret: {{ $registration }}, key: {{ $external | ternary "REG_TOKEN" "token" }}}
{{- if and .Values.demo.createSecrets .Values.demo.webhookSecret }}
- {name: WEBHOOK_SECRETS, secret: {{ $registration }}, key: webhook-secret}
{{- end }}
{{- range .Values.secrets.keys }}
- {name: {{ . }}, secret: {{ $external | ternary $registration $.Values.secrets.existingSecret }}, key: {{ . }}}
{{- end }}
{{- if eq .Values.store.kind "postgresql" }}
{{- with .Values.store.postgresql }}
- {name: DATABASE_URL, secret: {{ .existingSecret }}, key: {{ .key }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* One entry a name, and the later one wins: server-side apply refuses a name that stands twice. */}}
{{- define "plugin.env" -}}
{{- $env := list
  (dict "name" "HOME" "value" "/tmp")
  (dict "name" "PYTHONDONTWRITEBYTECODE" "value" "1")
-}}
{{- range include "plugin.secretSources" . | fromYamlArray -}}
{{- if eq $.Values.secrets.mode "files" -}}
{{- $env = append $env (dict "name" (printf "%s_FILE" .name) "value" (printf "/run/secrets/plugin/%s" .name)) -}}
{{- else -}}
{{- $ref := dict "name" .secret "key" .key -}}
{{- $env = append $env (dict "name" .name "valueFrom" (dict "secretKeyRef" $ref)) -}}
{{- end -}}
{{- end -}}
{{- $byName := dict -}}
{{- range concat $env .Values.extraEnv -}}
{{- $_ := set $byName .name . -}}
{{- end -}}
{{- $entries := list -}}
{{- range keys $byName | sortAlpha -}}
{{- $entries = append $entries (get $byName .) -}}
{{- end -}}
{{- toYaml $entries -}}
{{- end -}}

{{- define "plugin.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmpSize }}
- name: data
{{- if and .Values.persistence.enabled (eq .Values.store.kind "embedded") }}
  persistentVolumeClaim:
    claimName: {{ include "plugin.claimName" . }}
{{- else }}
  emptyDir:
    sizeLimit: {{ .Values.persistence.ephemeralSize }}
{{- end }}
{{- if eq .Values.secrets.mode "files" }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
    {{- range include "plugin.secretSources" . | fromYamlArray }}
    - secret:
        name: {{ .secret }}
        items:
        - {key: {{ .key }}, path: {{ .name }}}
    {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "plugin.volumeMounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: data, mountPath: /data}
{{- if eq .Values.secrets.mode "files" }}
- {name: secrets, mountPath: /run/secrets/plugin, readOnly: true}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}
