{{/* Values that do not go together, each with what to do instead. Types are the schema's business. */}}

{{- define "plugin.refusals" -}}
{{- include "plugin.refuseStore" . -}}
{{- include "plugin.refuseSecrets" . -}}
{{- include "plugin.refuseDemo" . -}}
{{- include "plugin.refuseScale" . -}}
{{- include "plugin.refuseDrain" . -}}
{{- include "plugin.refuseAccess" . -}}
{{- include "plugin.refuseRules" . -}}
{{- include "plugin.refuseTraces" . -}}
{{- include "plugin.refuseScraping" . -}}
{{- end -}}

{{- define "plugin.refuseStore" -}}
{{- $embedded := eq .Values.store.kind "embedded" -}}
{{- if $embedded -}}
{{- if .Values.service.shared -}}
{{- fail "service.shared: releases behind one Service must read the same data; set store.kind to postgresql, or service.shared to false" -}}
{{- end -}}
{{- if gt (int .Values.replicas) 1 -}}
{{- fail "replicas: the embedded store has one writer; set replicas to 1, or store.kind to postgresql" -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- fail "autoscaling.enabled: the embedded store has one writer; set it to false, or store.kind to postgresql" -}}
{{- end -}}
{{- if eq .Values.strategy "RollingUpdate" -}}
{{- fail "strategy: RollingUpdate would open the embedded store twice; leave strategy empty, or set store.kind to postgresql" -}}
{{- end -}}
{{- else -}}
{{- if not .Values.store.postgresql.existingSecret -}}
{{- fail "store.postgresql.existingSecret: is empty; name the Secret whose key store.postgresql.key holds the database's URL" -}}
{{- end -}}
{{- if not (has "PSEUDONYM_KEY" .Values.secrets.keys) -}}
{{- fail "secrets.keys: several pods need one PSEUDONYM_KEY; put it into secrets.existingSecret and list it in secrets.keys" -}}
{{- end -}}
{{- $egress := .Values.store.postgresql.egress -}}
{{- if and .Values.networkPolicy.enabled (eq (empty $egress.cidr) (empty $egress.podLabels)) -}}
{{- fail "store.postgresql.egress: name the database either by podLabels (with namespace) or by cidr, not both and not neither" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "plugin.refuseSecrets" -}}
{{- $demo := .Values.demo -}}
{{- if $demo.createSecrets -}}
{{- if .Values.core.registrationSecretName -}}
{{- fail "demo.createSecrets: core.registrationSecretName names a Secret already; set one of the two" -}}
{{- end -}}
{{- if not $demo.token -}}
{{- fail "demo.token: is empty; give one that begins with demo-only-, or set demo.createSecrets to false" -}}
{{- end -}}
{{- if not (hasPrefix "demo-only-" $demo.token) -}}
{{- fail "demo.token: must begin with demo-only-, so that nobody takes it for a secret; a real token belongs into the Secret that core.registrationSecretName names" -}}
{{- end -}}
{{- if and $demo.webhookSecret (not (hasPrefix "demo-only-" $demo.webhookSecret)) -}}
{{- fail "demo.webhookSecret: must begin with demo-only-, so that nobody takes it for a secret; a real one belongs into secrets.existingSecret as WEBHOOK_SECRETS" -}}
{{- end -}}
{{- else if or $demo.token $demo.webhookSecret -}}
{{- fail "demo.token, demo.webhookSecret: are for demonstrations only; set demo.createSecrets to true, or use core.registrationSecretName and secrets.existingSecret" -}}
{{- end -}}
{{- include "plugin.refuseExternalSecret" . -}}
{{- if and (not .Values.externalSecret.enabled) (ne (empty .Values.secrets.existingSecret) (empty .Values.secrets.keys)) -}}
{{- fail "secrets: existingSecret and keys go together; name the Secret and list the keys to take from it" -}}
{{- end -}}
{{- if and $demo.webhookSecret (has "WEBHOOK_SECRETS" .Values.secrets.keys) -}}
{{- fail "demo.webhookSecret: secrets.keys takes WEBHOOK_SECRETS already; set one of the two" -}}
{{- end -}}
{{- end -}}

{{- define "plugin.refuseExternalSecret" -}}
{{- with .Values.externalSecret -}}
{{- if .enabled -}}
{{- if or $.Values.core.registrationSecretName $.Values.secrets.existingSecret $.Values.demo.createSecrets -}}
{{- fail "externalSecret.enabled: its Secret holds the token and secrets.keys; leave core.registrationSecretName, secrets.existingSecret and demo.createSecrets out" -}}
{{- end -}}
{{- if not (and .storeName .path) -}}
{{- fail "externalSecret: name the store (storeName), and where the secrets lie in it (path)" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "plugin.refuseDemo" -}}
{{- if .Values.demo.core.enabled -}}
{{- if not (and .Values.demo.createSecrets .Values.demo.webhookSecret) -}}
{{- fail "demo.core.enabled: that core knows the words of demo only; set demo.createSecrets to true, and both demo.token and demo.webhookSecret" -}}
{{- end -}}
{{- if ne (urlParse .Values.core.baseURL).hostname "core.svc.cluster.local" -}}
{{- fail "demo.core.enabled: core.baseURL names another core; leave it out, or set demo.core.enabled to false" -}}
{{- end -}}
{{- if .Values.networkPolicy.coreSide.enabled -}}
{{- fail "networkPolicy.coreSide.enabled: the core of a demonstration has a policy already; set it to false" -}}
{{- end -}}
{{- if or .Values.publicURL .Values.ui.remoteURL .Values.service.shared -}}
{{- fail "demo.core.enabled: that core reaches the plugin's own Service and nothing else; leave publicURL, ui.remoteURL and service.shared out" -}}
{{- end -}}
{{- if eq (int .Values.demo.core.port) (int .Values.demo.core.proxyPort) -}}
{{- fail "demo.core.proxyPort: is demo.core.port as well; choose another" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "plugin.refuseScale" -}}
{{- with .Values.autoscaling -}}
{{- if .enabled -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail "autoscaling.minReplicas: is more than autoscaling.maxReplicas; raise the one or lower the other" -}}
{{- end -}}
{{- if not (dig "requests" "cpu" "" $.Values.resources) -}}
{{- fail "resources.requests.cpu: is missing, and the autoscaler counts in shares of it; set it" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Kubernetes kills what has not ended by then, in the middle of a request or a job. */}}
{{- define "plugin.refuseDrain" -}}
{{- $config := .Values.config -}}
{{- $needs := addf .Values.drain.preStopSeconds $config.DRAIN_SECONDS $config.STOP_GRACE_SECONDS 5 -}}
{{- if gt $needs (float64 .Values.terminationGracePeriodSeconds) -}}
{{- fail (printf "terminationGracePeriodSeconds: a stop may take %v seconds (drain.preStopSeconds + DRAIN_SECONDS + STOP_GRACE_SECONDS + 5); raise it to at least that" $needs) -}}
{{- end -}}
{{- end -}}

{{- define "plugin.refuseAccess" -}}
{{- if and .Values.rbac.create (not .Values.serviceAccount.automount) -}}
{{- fail "rbac.create: a role is of no use without a token; set serviceAccount.automount to true as well" -}}
{{- end -}}
{{- if and .Values.rbac.create (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "rbac.create: would give rights to the account default; set serviceAccount.create to true, or serviceAccount.name" -}}
{{- end -}}
{{- with .Values.networkPolicy.mesh.controlPlane -}}
{{- if ne (empty .podLabels) (empty .podPorts) -}}
{{- fail "networkPolicy.mesh.controlPlane: podLabels and podPorts go together; set both, or neither" -}}
{{- end -}}
{{- end -}}
{{- if .Values.ingress.enabled -}}
{{- if not .Values.ingress.host -}}
{{- fail "ingress.host: is empty; name the host under which the remote is served" -}}
{{- end -}}
{{- if not .Values.ingress.tlsSecretName -}}
{{- fail "ingress.tlsSecretName: is empty; name the Secret with the host's certificate" -}}
{{- end -}}
{{- range .Values.ingress.apiPaths -}}
{{- if or (eq . "/") (has (regexFind "^/[^/]*" .) (list "/metrics" "/register" "/healthz" "/readyz" "/manifest" "/schema")) -}}
{{- fail (printf "ingress.apiPaths: %s is between the plugin, core and the cluster; list paths below the API's base path only" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Spans go straight to their collector. */}}
{{- define "plugin.refuseTraces" -}}
{{- $host := (urlParse .Values.otel.endpoint).hostname -}}
{{- if and (include "plugin.collectorIsOutside" .) (eq .Values.networkPolicy.fqdnMode "proxy") (not (regexMatch "^[0-9.]+$" $host)) -}}
{{- fail (printf "otel.endpoint: spans do not go through the proxy, so none would reach %s; name a collector of the cluster, or set networkPolicy.fqdnMode to cilium" $host) -}}
{{- end -}}
{{- end -}}

{{/* The rules look for the target that the ServiceMonitor makes; of another they would call it down. */}}
{{- define "plugin.refuseRules" -}}
{{- if and .Values.prometheusRule.enabled (not .Values.serviceMonitor.enabled) -}}
{{- fail "prometheusRule.enabled: its rules watch what the ServiceMonitor has scraped; set serviceMonitor.enabled to true as well" -}}
{{- end -}}
{{- end -}}

{{/* Prometheus refuses such a target, and tells it in its own log only. */}}
{{- define "plugin.refuseScraping" -}}
{{- with .Values.serviceMonitor -}}
{{- if ge (include "plugin.milliseconds" .scrapeTimeout | int) (include "plugin.milliseconds" .interval | int) -}}
{{- fail (printf "serviceMonitor.scrapeTimeout: %s is not less than serviceMonitor.interval, %s; lower the one or raise the other" .scrapeTimeout .interval) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "plugin.milliseconds" -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- mul (trimSuffix $unit . | int) (get (dict "ms" 1 "s" 1000 "m" 60000) $unit) -}}
{{- end -}}
