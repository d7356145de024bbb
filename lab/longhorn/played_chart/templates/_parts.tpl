{{- /* Labels that Helm's own conventions ask for. */ -}}
{{- define "labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* An image: the whole values, and the image's own part of them. */ -}}
{{- define "image" -}}
{{- $registry := .values.privateRegistry.registryUrl | default .values.global.cattle.systemDefaultRegistry -}}
{{- with $registry }}{{ . }}/{{ end }}{{ .of.repository }}:{{ .of.tag }}
{{- end }}

{{- define "manager-image" -}}
{{- template "image" (dict "values" .Values "of" .Values.image.longhorn.manager) }}
{{- end }}

{{- define "engine-image" -}}
{{- template "image" (dict "values" .Values "of" .Values.image.longhorn.engine) }}
{{- end }}

{{- /* How a pod runs: the whole values, and the part of them that says where. */ -}}
{{- define "placement" -}}
{{- with .values.privateRegistry.registrySecret }}
imagePullSecrets: [{name: {{ . }}}]
{{- end }}
{{- with .of.priorityClass }}
priorityClassName: {{ . }}
{{- end }}
{{- with .of.tolerations | default .values.global.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .of.nodeSelector | default .values.global.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- end }}
