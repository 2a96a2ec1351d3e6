{{/* What core's own policy must allow: printed by NOTES.txt, rendered when asked for. */}}
{{- define "plugin.coreSidePolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "plugin.fullname" . }}-core-side
  namespace: {{ .Values.core.namespace }}
  labels:
    {{- include "plugin.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- toYaml .Values.core.podLabels | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- $plugin := include "plugin.selectorLabels" . | fromYaml }}
  {{- $peer := dict "namespace" .Release.Namespace "podLabels" $plugin }}
  ingress:
  - from:
    {{- include "plugin.peer" $peer | nindent 4 }}
    ports:
    {{- include "plugin.podTcp" (dict "root" . "ports" .Values.core.podPorts) | nindent 4 }}
  egress:
  - to:
    {{- include "plugin.peer" $peer | nindent 4 }}
    ports:
    {{- include "plugin.ownTcp" . | nindent 4 }}
{{- end -}}
