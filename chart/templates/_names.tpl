{{/* Names and labels. Nothing here spells the plugin's name: it is the chart's. */}}

{{/* The id of the manifest: what stands behind "plugin-" in the chart's name. */}}
{{- define "plugin.id" -}}
{{- trimPrefix "plugin-" .Chart.Name -}}
{{- end -}}

{{/* At most 52 characters, so that "-core-side" still fits; a name that is cut keeps its difference. */}}
{{- define "plugin.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $name = contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) -}}
{{- end -}}
{{- if gt (len $name) 52 -}}
{{- $name = printf "%s-%s" (trunc 43 $name | trimSuffix "-") (sha256sum $name | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "plugin.serviceAccountName" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else -}}
{{- .Values.serviceAccount.create | ternary (include "plugin.fullname" .) "default" -}}
{{- end -}}
{{- end -}}

{{- define "plugin.externalSecretName" -}}
{{- include "plugin.fullname" . -}}-external
{{- end -}}

{{- define "plugin.registrationSecretName" -}}
{{- if .Values.externalSecret.enabled -}}
{{- include "plugin.externalSecretName" . -}}
{{- else if .Values.demo.createSecrets -}}
{{- include "plugin.fullname" . -}}-demo
{{- else -}}
{{- .Values.core.registrationSecretName | default (printf "plugin-reg-token-%s" (include "plugin.id" .)) -}}
{{- end -}}
{{- end -}}

{{- define "plugin.claimName" -}}
{{- .Values.persistence.existingClaim | default (printf "%s-data" (include "plugin.fullname" .)) -}}
{{- end -}}

{{/* A version may hold what a label may not, such as "+". */}}
{{- define "plugin.labelValue" -}}
{{- regexReplaceAll "[^-A-Za-z0-9_.]" . "_" | trunc 63 | trimAll "-_." -}}
{{- end -}}

{{- define "plugin.version" -}}
{{- .Values.image.tag | default .Chart.AppVersion -}}
{{- end -}}

{{- define "plugin.image" -}}
{{- $repo := .Values.image.repo | default .Chart.Name -}}
{{- include "plugin.imageOf" (dict "repo" $repo "tag" (include "plugin.version" .) "digest" .Values.image.digest) -}}
{{- end -}}

{{/* By its digest where that is known: what a tag names may change. */}}
{{- define "plugin.imageOf" -}}
{{- if .digest -}}
{{- printf "%s@%s" .repo .digest -}}
{{- else -}}
{{- printf "%s:%s" .repo (.tag | replace "+" "_") -}}
{{- end -}}
{{- end -}}

{{/* What never changes over a release's life: selectors are immutable. */}}
{{- define "plugin.instanceLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "plugin.selectorLabels" -}}
{{ include "plugin.instanceLabels" . }}
app.kubernetes.io/component: backend
{{- end -}}

{{- define "plugin.describingLabels" -}}
app.kubernetes.io/version: {{ include "plugin.labelValue" (include "plugin.version" .) | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: mosaic-life
helm.sh/chart: {{ include "plugin.labelValue" (printf "%s-%s" .Chart.Name .Chart.Version) }}
plugin.name: {{ include "plugin.id" . }}
plugin.version: {{ include "plugin.labelValue" (include "plugin.version" .) | quote }}
plugin.track: {{ .Values.track }}
{{- end -}}

{{- define "plugin.labels" -}}
{{ include "plugin.selectorLabels" . }}
{{ include "plugin.describingLabels" . }}
{{- end -}}

{{/* Not the backend's: a ServiceMonitor would scrape the same pods by two Services. */}}
{{- define "plugin.sharedLabels" -}}
{{ include "plugin.instanceLabels" . }}
app.kubernetes.io/component: shared
{{ include "plugin.describingLabels" . }}
{{- end -}}

{{/* One name for every release of this plugin in the namespace. */}}
{{- define "plugin.sharedName" -}}
{{- .Chart.Name -}}-shared
{{- end -}}

{{- define "plugin.testLabels" -}}
{{ include "plugin.instanceLabels" . }}
app.kubernetes.io/component: helm-test
{{ include "plugin.describingLabels" . }}
{{- end -}}

{{/* Where core is: the one that the values name, or the one that comes along. */}}
{{- define "plugin.coreURL" -}}
{{- if .Values.demo.core.enabled -}}
http://{{ include "demo.coreName" . }}.{{ .Release.Namespace }}.svc
{{- else -}}
{{- .Values.core.baseURL -}}
{{- end -}}
{{- end -}}

{{/* The URL of a Service of this release: {root, name}. */}}
{{- define "plugin.urlOf" -}}
{{- $port := int .root.Values.service.servicePort -}}
http://{{ .name }}.{{ .root.Release.Namespace }}.svc{{ if ne $port 80 }}:{{ $port }}{{ end }}
{{- end -}}

{{/* Where the test reaches the plugin, and core where nothing else is said. */}}
{{- define "plugin.url" -}}
{{- include "plugin.urlOf" (dict "root" . "name" (include "plugin.fullname" .)) -}}
{{- end -}}

{{- define "plugin.publicURL" -}}
{{- if .Values.publicURL -}}
{{- .Values.publicURL -}}
{{- else if .Values.service.shared -}}
{{- include "plugin.urlOf" (dict "root" . "name" (include "plugin.sharedName" .)) -}}
{{- else -}}
{{- include "plugin.url" . -}}
{{- end -}}
{{- end -}}
