/**
 * Field numbers of the API's objects in protobuf, which kubectl uses for what it creates itself (`kubectl create
 * namespace`). One message a line, as in the `generated.proto` files of k8s.io/api 0.36: number, name, type.
 *
 * Types: s text, i whole number, b boolean, d double, y bytes, T and U times, I number or text, Q quantity, R raw JSON,
 * - not read; else a message. `*` repeated, `<` map from text, `!` its fields stand in the parent.
 */
export const protobufFields = `
core.Namespace 1metadata:meta.ObjectMeta 2spec:core.NamespaceSpec 3status:-
core.ConfigMap 1metadata:meta.ObjectMeta 4immutable:b 2data:<s 3binaryData:<y
core.Secret 1metadata:meta.ObjectMeta 5immutable:b 2data:<y 4stringData:<s 3type:s
core.ServiceAccount 1metadata:meta.ObjectMeta 2secrets:*core.ObjectReference 3imagePullSecrets:*core.LocalObjectReference 4automountServiceAccountToken:b
core.Service 1metadata:meta.ObjectMeta 2spec:core.ServiceSpec 3status:-
core.Pod 1metadata:meta.ObjectMeta 2spec:core.PodSpec 3status:-
core.ResourceQuota 1metadata:meta.ObjectMeta 2spec:core.ResourceQuotaSpec 3status:-
core.LimitRange 1metadata:meta.ObjectMeta 2spec:core.LimitRangeSpec
core.PersistentVolumeClaim 1metadata:meta.ObjectMeta 2spec:core.PersistentVolumeClaimSpec 3status:-
core.Event 1metadata:meta.ObjectMeta 2involvedObject:core.ObjectReference 3reason:s 4message:s 5source:core.EventSource 6firstTimestamp:T 7lastTimestamp:T 8count:i 9type:s 10eventTime:U 11series:core.EventSeries 12action:s 13related:core.ObjectReference 14reportingComponent:s 15reportingInstance:s
core.Endpoints 1metadata:meta.ObjectMeta 2subsets:*core.EndpointSubset
apps.Deployment 1metadata:meta.ObjectMeta 2spec:apps.DeploymentSpec 3status:-
apps.StatefulSet 1metadata:meta.ObjectMeta 2spec:apps.StatefulSetSpec 3status:-
apps.DaemonSet 1metadata:meta.ObjectMeta 2spec:apps.DaemonSetSpec 3status:-
apps.ReplicaSet 1metadata:meta.ObjectMeta 2spec:apps.ReplicaSetSpec 3status:-
apps.ControllerRevision 1metadata:meta.ObjectMeta 2data:R 3revision:i
batch.Job 1metadata:meta.ObjectMeta 2spec:batch.JobSpec 3status:-
batch.CronJob 1metadata:meta.ObjectMeta 2spec:batch.CronJobSpec 3status:-
networking.Ingress 1metadata:meta.ObjectMeta 2spec:networking.IngressSpec 3status:-
networking.NetworkPolicy 1metadata:meta.ObjectMeta 2spec:networking.NetworkPolicySpec
networking.IngressClass 1metadata:meta.ObjectMeta 2spec:networking.IngressClassSpec
rbac.Role 1metadata:meta.ObjectMeta 2rules:*rbac.PolicyRule
rbac.RoleBinding 1metadata:meta.ObjectMeta 2subjects:*rbac.Subject 3roleRef:rbac.RoleRef
rbac.ClusterRole 1metadata:meta.ObjectMeta 2rules:*rbac.PolicyRule 3aggregationRule:rbac.AggregationRule
rbac.ClusterRoleBinding 1metadata:meta.ObjectMeta 2subjects:*rbac.Subject 3roleRef:rbac.RoleRef
policy.PodDisruptionBudget 1metadata:meta.ObjectMeta 2spec:policy.PodDisruptionBudgetSpec 3status:-
autoscaling.HorizontalPodAutoscaler 1metadata:meta.ObjectMeta 2spec:autoscaling.HorizontalPodAutoscalerSpec 3status:-
autoscaling1.Scale 1metadata:meta.ObjectMeta 2spec:autoscaling1.ScaleSpec 3status:-
authorization.SelfSubjectAccessReview 1metadata:meta.ObjectMeta 2spec:authorization.SelfSubjectAccessReviewSpec 3status:-
authorization.SelfSubjectRulesReview 1metadata:meta.ObjectMeta 2spec:authorization.SelfSubjectRulesReviewSpec 3status:-
authentication.SelfSubjectReview 1metadata:meta.ObjectMeta 2status:-
coordination.Lease 1metadata:meta.ObjectMeta 2spec:coordination.LeaseSpec
discovery.EndpointSlice 1metadata:meta.ObjectMeta 4addressType:s 2endpoints:*discovery.Endpoint 3ports:*discovery.EndpointPort
events.Event 1metadata:meta.ObjectMeta 2eventTime:U 3series:events.EventSeries 4reportingController:s 5reportingInstance:s 6action:s 7reason:s 8regarding:core.ObjectReference 9related:core.ObjectReference 10note:s 11type:s 12deprecatedSource:core.EventSource 13deprecatedFirstTimestamp:T 14deprecatedLastTimestamp:T 15deprecatedCount:i
storage.StorageClass 1metadata:meta.ObjectMeta 2provisioner:s 3parameters:<s 4reclaimPolicy:s 5mountOptions:*s 6allowVolumeExpansion:b 7volumeBindingMode:s 8allowedTopologies:*core.TopologySelectorTerm
meta.DeleteOptions 1gracePeriodSeconds:i 2preconditions:meta.Preconditions 3orphanDependents:b 4propagationPolicy:s 5dryRun:*s 6ignoreStoreReadErrorWithClusterBreakingPotential:b
meta.ObjectMeta 1name:s 2generateName:s 3namespace:s 4selfLink:s 5uid:s 6resourceVersion:s 7generation:i 8creationTimestamp:T 9deletionTimestamp:T 10deletionGracePeriodSeconds:i 11labels:<s 12annotations:<s 13ownerReferences:*meta.OwnerReference 14finalizers:*s 17managedFields:-
core.NamespaceSpec 1finalizers:*s
core.ObjectReference 1kind:s 2namespace:s 3name:s 4uid:s 5apiVersion:s 6resourceVersion:s 7fieldPath:s
core.LocalObjectReference 1name:s
core.ServiceSpec 1ports:*core.ServicePort 2selector:<s 3clusterIP:s 18clusterIPs:*s 4type:s 5externalIPs:*s 7sessionAffinity:s 8loadBalancerIP:s 9loadBalancerSourceRanges:*s 10externalName:s 11externalTrafficPolicy:s 12healthCheckNodePort:i 13publishNotReadyAddresses:b 14sessionAffinityConfig:core.SessionAffinityConfig 19ipFamilies:*s 17ipFamilyPolicy:s 20allocateLoadBalancerNodePorts:b 21loadBalancerClass:s 22internalTrafficPolicy:s 23trafficDistribution:s
core.PodSpec 1volumes:*core.Volume 20initContainers:*core.Container 2containers:*core.Container 3restartPolicy:s 4terminationGracePeriodSeconds:i 5activeDeadlineSeconds:i 6dnsPolicy:s 7nodeSelector:<s 8serviceAccountName:s 9serviceAccount:s 21automountServiceAccountToken:b 10nodeName:s 11hostNetwork:b 12hostPID:b 13hostIPC:b 27shareProcessNamespace:b 14securityContext:core.PodSecurityContext 15imagePullSecrets:*core.LocalObjectReference 16hostname:s 17subdomain:s 18affinity:core.Affinity 19schedulerName:s 22tolerations:*core.Toleration 23hostAliases:*core.HostAlias 24priorityClassName:s 25priority:i 26dnsConfig:core.PodDNSConfig 28readinessGates:*core.PodReadinessGate 29runtimeClassName:s 30enableServiceLinks:b 31preemptionPolicy:s 32overhead:<Q 33topologySpreadConstraints:*core.TopologySpreadConstraint 35setHostnameAsFQDN:b 36os:core.PodOS 37hostUsers:b 38schedulingGates:*core.PodSchedulingGate 40resources:core.ResourceRequirements 41hostnameOverride:s
core.ResourceQuotaSpec 1hard:<Q 2scopes:*s 3scopeSelector:core.ScopeSelector
core.LimitRangeSpec 1limits:*core.LimitRangeItem
core.PersistentVolumeClaimSpec 1accessModes:*s 4selector:meta.LabelSelector 2resources:core.VolumeResourceRequirements 3volumeName:s 5storageClassName:s 6volumeMode:s 7dataSource:core.TypedLocalObjectReference 8dataSourceRef:core.TypedObjectReference 9volumeAttributesClassName:s
core.EventSource 1component:s 2host:s
core.EventSeries 1count:i 2lastObservedTime:U
core.EndpointSubset 1addresses:*core.EndpointAddress 2notReadyAddresses:*core.EndpointAddress 3ports:*core.EndpointPort
apps.DeploymentSpec 1replicas:i 2selector:meta.LabelSelector 3template:core.PodTemplateSpec 4strategy:apps.DeploymentStrategy 5minReadySeconds:i 6revisionHistoryLimit:i 7paused:b 9progressDeadlineSeconds:i
apps.StatefulSetSpec 1replicas:i 2selector:meta.LabelSelector 3template:core.PodTemplateSpec 4volumeClaimTemplates:*core.PersistentVolumeClaim 5serviceName:s 6podManagementPolicy:s 7updateStrategy:apps.StatefulSetUpdateStrategy 8revisionHistoryLimit:i 9minReadySeconds:i 10persistentVolumeClaimRetentionPolicy:apps.StatefulSetPersistentVolumeClaimRetentionPolicy 11ordinals:apps.StatefulSetOrdinals
apps.DaemonSetSpec 1selector:meta.LabelSelector 2template:core.PodTemplateSpec 3updateStrategy:apps.DaemonSetUpdateStrategy 4minReadySeconds:i 6revisionHistoryLimit:i
apps.ReplicaSetSpec 1replicas:i 4minReadySeconds:i 2selector:meta.LabelSelector 3template:core.PodTemplateSpec
batch.JobSpec 1parallelism:i 2completions:i 3activeDeadlineSeconds:i 11podFailurePolicy:batch.PodFailurePolicy 16successPolicy:batch.SuccessPolicy 7backoffLimit:i 12backoffLimitPerIndex:i 13maxFailedIndexes:i 4selector:meta.LabelSelector 5manualSelector:b 6template:core.PodTemplateSpec 8ttlSecondsAfterFinished:i 9completionMode:s 10suspend:b 14podReplacementPolicy:s 15managedBy:s
batch.CronJobSpec 1schedule:s 8timeZone:s 2startingDeadlineSeconds:i 3concurrencyPolicy:s 4suspend:b 5jobTemplate:batch.JobTemplateSpec 6successfulJobsHistoryLimit:i 7failedJobsHistoryLimit:i
networking.IngressSpec 4ingressClassName:s 1defaultBackend:networking.IngressBackend 2tls:*networking.IngressTLS 3rules:*networking.IngressRule
networking.NetworkPolicySpec 1podSelector:meta.LabelSelector 2ingress:*networking.NetworkPolicyIngressRule 3egress:*networking.NetworkPolicyEgressRule 4policyTypes:*s
networking.IngressClassSpec 1controller:s 2parameters:networking.IngressClassParametersReference
rbac.PolicyRule 1verbs:*s 2apiGroups:*s 3resources:*s 4resourceNames:*s 5nonResourceURLs:*s
rbac.Subject 1kind:s 2apiGroup:s 3name:s 4namespace:s
rbac.RoleRef 1apiGroup:s 2kind:s 3name:s
rbac.AggregationRule 1clusterRoleSelectors:*meta.LabelSelector
policy.PodDisruptionBudgetSpec 1minAvailable:I 2selector:meta.LabelSelector 3maxUnavailable:I 4unhealthyPodEvictionPolicy:s
autoscaling.HorizontalPodAutoscalerSpec 1scaleTargetRef:autoscaling.CrossVersionObjectReference 2minReplicas:i 3maxReplicas:i 4metrics:*autoscaling.MetricSpec 5behavior:autoscaling.HorizontalPodAutoscalerBehavior
autoscaling1.ScaleSpec 1replicas:i
authorization.SelfSubjectAccessReviewSpec 1resourceAttributes:authorization.ResourceAttributes 2nonResourceAttributes:authorization.NonResourceAttributes
authorization.SelfSubjectRulesReviewSpec 1namespace:s
coordination.LeaseSpec 1holderIdentity:s 2leaseDurationSeconds:i 3acquireTime:U 4renewTime:U 5leaseTransitions:i 6strategy:s 7preferredHolder:s
discovery.Endpoint 1addresses:*s 2conditions:discovery.EndpointConditions 3hostname:s 4targetRef:core.ObjectReference 5deprecatedTopology:<s 6nodeName:s 7zone:s 8hints:discovery.EndpointHints
discovery.EndpointPort 1name:s 2protocol:s 3port:i 4appProtocol:s
events.EventSeries 1count:i 2lastObservedTime:U
core.TopologySelectorTerm 1matchLabelExpressions:*core.TopologySelectorLabelRequirement
meta.Preconditions 1uid:s 2resourceVersion:s
meta.OwnerReference 5apiVersion:s 1kind:s 3name:s 4uid:s 6controller:b 7blockOwnerDeletion:b
core.ServicePort 1name:s 2protocol:s 6appProtocol:s 3port:i 4targetPort:I 5nodePort:i
core.SessionAffinityConfig 1clientIP:core.ClientIPConfig
core.Volume 1name:s 2volumeSource:!core.VolumeSource
core.Container 1name:s 2image:s 3command:*s 4args:*s 5workingDir:s 6ports:*core.ContainerPort 19envFrom:*core.EnvFromSource 7env:*core.EnvVar 8resources:core.ResourceRequirements 23resizePolicy:*core.ContainerResizePolicy 24restartPolicy:s 25restartPolicyRules:*core.ContainerRestartRule 9volumeMounts:*core.VolumeMount 21volumeDevices:*core.VolumeDevice 10livenessProbe:core.Probe 11readinessProbe:core.Probe 22startupProbe:core.Probe 12lifecycle:core.Lifecycle 13terminationMessagePath:s 20terminationMessagePolicy:s 14imagePullPolicy:s 15securityContext:core.SecurityContext 16stdin:b 17stdinOnce:b 18tty:b
core.PodSecurityContext 1seLinuxOptions:core.SELinuxOptions 8windowsOptions:core.WindowsSecurityContextOptions 2runAsUser:i 6runAsGroup:i 3runAsNonRoot:b 4supplementalGroups:*i 12supplementalGroupsPolicy:s 5fsGroup:i 7sysctls:*core.Sysctl 9fsGroupChangePolicy:s 10seccompProfile:core.SeccompProfile 11appArmorProfile:core.AppArmorProfile 13seLinuxChangePolicy:s
core.Affinity 1nodeAffinity:core.NodeAffinity 2podAffinity:core.PodAffinity 3podAntiAffinity:core.PodAntiAffinity
core.Toleration 1key:s 2operator:s 3value:s 4effect:s 5tolerationSeconds:i
core.HostAlias 1ip:s 2hostnames:*s
core.PodDNSConfig 1nameservers:*s 2searches:*s 3options:*core.PodDNSConfigOption
core.PodReadinessGate 1conditionType:s
core.TopologySpreadConstraint 1maxSkew:i 2topologyKey:s 3whenUnsatisfiable:s 4labelSelector:meta.LabelSelector 5minDomains:i 6nodeAffinityPolicy:s 7nodeTaintsPolicy:s 8matchLabelKeys:*s
core.PodOS 1name:s
core.PodSchedulingGate 1name:s
core.ResourceRequirements 1limits:<Q 2requests:<Q 3claims:*core.ResourceClaim
core.ScopeSelector 1matchExpressions:*core.ScopedResourceSelectorRequirement
core.LimitRangeItem 1type:s 2max:<Q 3min:<Q 4default:<Q 5defaultRequest:<Q 6maxLimitRequestRatio:<Q
meta.LabelSelector 1matchLabels:<s 2matchExpressions:*meta.LabelSelectorRequirement
core.VolumeResourceRequirements 1limits:<Q 2requests:<Q
core.TypedLocalObjectReference 1apiGroup:s 2kind:s 3name:s
core.TypedObjectReference 1apiGroup:s 2kind:s 3name:s 4namespace:s
core.EndpointAddress 1ip:s 3hostname:s 4nodeName:s 2targetRef:core.ObjectReference
core.EndpointPort 1name:s 2port:i 3protocol:s 4appProtocol:s
core.PodTemplateSpec 1metadata:meta.ObjectMeta 2spec:core.PodSpec
apps.DeploymentStrategy 1type:s 2rollingUpdate:apps.RollingUpdateDeployment
apps.StatefulSetUpdateStrategy 1type:s 2rollingUpdate:apps.RollingUpdateStatefulSetStrategy
apps.StatefulSetPersistentVolumeClaimRetentionPolicy 1whenDeleted:s 2whenScaled:s
apps.StatefulSetOrdinals 1start:i
apps.DaemonSetUpdateStrategy 1type:s 2rollingUpdate:apps.RollingUpdateDaemonSet
batch.PodFailurePolicy 1rules:*batch.PodFailurePolicyRule
batch.SuccessPolicy 1rules:*batch.SuccessPolicyRule
batch.JobTemplateSpec 1metadata:meta.ObjectMeta 2spec:batch.JobSpec
networking.IngressBackend 4service:networking.IngressServiceBackend 3resource:core.TypedLocalObjectReference
networking.IngressTLS 1hosts:*s 2secretName:s
networking.IngressRule 1host:s 2ingressRuleValue:!networking.IngressRuleValue
networking.NetworkPolicyIngressRule 1ports:*networking.NetworkPolicyPort 2from:*networking.NetworkPolicyPeer
networking.NetworkPolicyEgressRule 1ports:*networking.NetworkPolicyPort 2to:*networking.NetworkPolicyPeer
networking.IngressClassParametersReference 1aPIGroup:s 2kind:s 3name:s 4scope:s 5namespace:s
autoscaling.CrossVersionObjectReference 1kind:s 2name:s 3apiVersion:s
autoscaling.MetricSpec 1type:s 2object:autoscaling.ObjectMetricSource 3pods:autoscaling.PodsMetricSource 4resource:autoscaling.ResourceMetricSource 7containerResource:autoscaling.ContainerResourceMetricSource 5external:autoscaling.ExternalMetricSource
autoscaling.HorizontalPodAutoscalerBehavior 1scaleUp:autoscaling.HPAScalingRules 2scaleDown:autoscaling.HPAScalingRules
authorization.ResourceAttributes 1namespace:s 2verb:s 3group:s 4version:s 5resource:s 6subresource:s 7name:s 8fieldSelector:authorization.FieldSelectorAttributes 9labelSelector:authorization.LabelSelectorAttributes
authorization.NonResourceAttributes 1path:s 2verb:s
discovery.EndpointConditions 1ready:b 2serving:b 3terminating:b
discovery.EndpointHints 1forZones:*discovery.ForZone 2forNodes:*discovery.ForNode
core.TopologySelectorLabelRequirement 1key:s 2values:*s
core.ClientIPConfig 1timeoutSeconds:i
core.VolumeSource 1hostPath:core.HostPathVolumeSource 2emptyDir:core.EmptyDirVolumeSource 6secret:core.SecretVolumeSource 7nfs:core.NFSVolumeSource 10persistentVolumeClaim:core.PersistentVolumeClaimVolumeSource 16downwardAPI:core.DownwardAPIVolumeSource 19configMap:core.ConfigMapVolumeSource 26projected:core.ProjectedVolumeSource 28csi:core.CSIVolumeSource 29ephemeral:core.EphemeralVolumeSource 30image:core.ImageVolumeSource
core.ContainerPort 1name:s 2hostPort:i 3containerPort:i 4protocol:s 5hostIP:s
core.EnvFromSource 1prefix:s 2configMapRef:core.ConfigMapEnvSource 3secretRef:core.SecretEnvSource
core.EnvVar 1name:s 2value:s 3valueFrom:core.EnvVarSource
core.ContainerResizePolicy 1resourceName:s 2restartPolicy:s
core.ContainerRestartRule 1action:s 2exitCodes:core.ContainerRestartRuleOnExitCodes
core.VolumeMount 1name:s 2readOnly:b 7recursiveReadOnly:s 3mountPath:s 4subPath:s 5mountPropagation:s 6subPathExpr:s
core.VolumeDevice 1name:s 2devicePath:s
core.Probe 1handler:!core.ProbeHandler 2initialDelaySeconds:i 3timeoutSeconds:i 4periodSeconds:i 5successThreshold:i 6failureThreshold:i 7terminationGracePeriodSeconds:i
core.Lifecycle 1postStart:core.LifecycleHandler 2preStop:core.LifecycleHandler 3stopSignal:s
core.SecurityContext 1capabilities:core.Capabilities 2privileged:b 3seLinuxOptions:core.SELinuxOptions 10windowsOptions:core.WindowsSecurityContextOptions 4runAsUser:i 8runAsGroup:i 5runAsNonRoot:b 6readOnlyRootFilesystem:b 7allowPrivilegeEscalation:b 9procMount:s 11seccompProfile:core.SeccompProfile 12appArmorProfile:core.AppArmorProfile
core.SELinuxOptions 1user:s 2role:s 3type:s 4level:s
core.WindowsSecurityContextOptions 1gmsaCredentialSpecName:s 2gmsaCredentialSpec:s 3runAsUserName:s 4hostProcess:b
core.Sysctl 1name:s 2value:s
core.SeccompProfile 1type:s 2localhostProfile:s
core.AppArmorProfile 1type:s 2localhostProfile:s
core.NodeAffinity 1requiredDuringSchedulingIgnoredDuringExecution:core.NodeSelector 2preferredDuringSchedulingIgnoredDuringExecution:*core.PreferredSchedulingTerm
core.PodAffinity 1requiredDuringSchedulingIgnoredDuringExecution:*core.PodAffinityTerm 2preferredDuringSchedulingIgnoredDuringExecution:*core.WeightedPodAffinityTerm
core.PodAntiAffinity 1requiredDuringSchedulingIgnoredDuringExecution:*core.PodAffinityTerm 2preferredDuringSchedulingIgnoredDuringExecution:*core.WeightedPodAffinityTerm
core.PodDNSConfigOption 1name:s 2value:s
core.ResourceClaim 1name:s 2request:s
core.ScopedResourceSelectorRequirement 1scopeName:s 2operator:s 3values:*s
meta.LabelSelectorRequirement 1key:s 2operator:s 3values:*s
apps.RollingUpdateDeployment 1maxUnavailable:I 2maxSurge:I
apps.RollingUpdateStatefulSetStrategy 1partition:i 2maxUnavailable:I
apps.RollingUpdateDaemonSet 1maxUnavailable:I 2maxSurge:I
batch.PodFailurePolicyRule 1action:s 2onExitCodes:batch.PodFailurePolicyOnExitCodesRequirement 3onPodConditions:*batch.PodFailurePolicyOnPodConditionsPattern
batch.SuccessPolicyRule 1succeededIndexes:s 2succeededCount:i
networking.IngressServiceBackend 1name:s 2port:networking.ServiceBackendPort
networking.IngressRuleValue 1http:networking.HTTPIngressRuleValue
networking.NetworkPolicyPort 1protocol:s 2port:I 3endPort:i
networking.NetworkPolicyPeer 1podSelector:meta.LabelSelector 2namespaceSelector:meta.LabelSelector 3ipBlock:networking.IPBlock
autoscaling.ObjectMetricSource 1describedObject:autoscaling.CrossVersionObjectReference 2target:autoscaling.MetricTarget 3metric:autoscaling.MetricIdentifier
autoscaling.PodsMetricSource 1metric:autoscaling.MetricIdentifier 2target:autoscaling.MetricTarget
autoscaling.ResourceMetricSource 1name:s 2target:autoscaling.MetricTarget
autoscaling.ContainerResourceMetricSource 1name:s 2target:autoscaling.MetricTarget 3container:s
autoscaling.ExternalMetricSource 1metric:autoscaling.MetricIdentifier 2target:autoscaling.MetricTarget
autoscaling.HPAScalingRules 3stabilizationWindowSeconds:i 1selectPolicy:s 2policies:*autoscaling.HPAScalingPolicy 4tolerance:Q
authorization.FieldSelectorAttributes 1rawSelector:s 2requirements:*meta.FieldSelectorRequirement
authorization.LabelSelectorAttributes 1rawSelector:s 2requirements:*meta.LabelSelectorRequirement
discovery.ForZone 1name:s
discovery.ForNode 1name:s
core.HostPathVolumeSource 1path:s 2type:s
core.EmptyDirVolumeSource 1medium:s 2sizeLimit:Q
core.SecretVolumeSource 1secretName:s 2items:*core.KeyToPath 3defaultMode:i 4optional:b
core.NFSVolumeSource 1server:s 2path:s 3readOnly:b
core.PersistentVolumeClaimVolumeSource 1claimName:s 2readOnly:b
core.DownwardAPIVolumeSource 1items:*core.DownwardAPIVolumeFile 2defaultMode:i
core.ConfigMapVolumeSource 1localObjectReference:!core.LocalObjectReference 2items:*core.KeyToPath 3defaultMode:i 4optional:b
core.ProjectedVolumeSource 1sources:*core.VolumeProjection 2defaultMode:i
core.CSIVolumeSource 1driver:s 2readOnly:b 3fsType:s 4volumeAttributes:<s 5nodePublishSecretRef:core.LocalObjectReference
core.EphemeralVolumeSource 1volumeClaimTemplate:core.PersistentVolumeClaimTemplate
core.ImageVolumeSource 1reference:s 2pullPolicy:s
core.ConfigMapEnvSource 1localObjectReference:!core.LocalObjectReference 2optional:b
core.SecretEnvSource 1localObjectReference:!core.LocalObjectReference 2optional:b
core.EnvVarSource 1fieldRef:core.ObjectFieldSelector 2resourceFieldRef:core.ResourceFieldSelector 3configMapKeyRef:core.ConfigMapKeySelector 4secretKeyRef:core.SecretKeySelector 5fileKeyRef:core.FileKeySelector
core.ContainerRestartRuleOnExitCodes 1operator:s 2values:*i
core.ProbeHandler 1exec:core.ExecAction 2httpGet:core.HTTPGetAction 3tcpSocket:core.TCPSocketAction 4grpc:core.GRPCAction
core.LifecycleHandler 1exec:core.ExecAction 2httpGet:core.HTTPGetAction 3tcpSocket:core.TCPSocketAction 4sleep:core.SleepAction
core.Capabilities 1add:*s 2drop:*s
core.NodeSelector 1nodeSelectorTerms:*core.NodeSelectorTerm
core.PreferredSchedulingTerm 1weight:i 2preference:core.NodeSelectorTerm
core.PodAffinityTerm 1labelSelector:meta.LabelSelector 2namespaces:*s 3topologyKey:s 4namespaceSelector:meta.LabelSelector 5matchLabelKeys:*s 6mismatchLabelKeys:*s
core.WeightedPodAffinityTerm 1weight:i 2podAffinityTerm:core.PodAffinityTerm
batch.PodFailurePolicyOnExitCodesRequirement 1containerName:s 2operator:s 3values:*i
batch.PodFailurePolicyOnPodConditionsPattern 1type:s 2status:s
networking.ServiceBackendPort 1name:s 2number:i
networking.HTTPIngressRuleValue 1paths:*networking.HTTPIngressPath
networking.IPBlock 1cidr:s 2except:*s
autoscaling.MetricTarget 1type:s 2value:Q 3averageValue:Q 4averageUtilization:i
autoscaling.MetricIdentifier 1name:s 2selector:meta.LabelSelector
autoscaling.HPAScalingPolicy 1type:s 2value:i 3periodSeconds:i
meta.FieldSelectorRequirement 1key:s 2operator:s 3values:*s
core.KeyToPath 1key:s 2path:s 3mode:i
core.DownwardAPIVolumeFile 1path:s 2fieldRef:core.ObjectFieldSelector 3resourceFieldRef:core.ResourceFieldSelector 4mode:i
core.VolumeProjection 1secret:core.SecretProjection 2downwardAPI:core.DownwardAPIProjection 3configMap:core.ConfigMapProjection 4serviceAccountToken:core.ServiceAccountTokenProjection 5clusterTrustBundle:core.ClusterTrustBundleProjection 6podCertificate:core.PodCertificateProjection
core.PersistentVolumeClaimTemplate 1metadata:meta.ObjectMeta 2spec:core.PersistentVolumeClaimSpec
core.ObjectFieldSelector 1apiVersion:s 2fieldPath:s
core.ResourceFieldSelector 1containerName:s 2resource:s 3divisor:Q
core.ConfigMapKeySelector 1localObjectReference:!core.LocalObjectReference 2key:s 3optional:b
core.SecretKeySelector 1localObjectReference:!core.LocalObjectReference 2key:s 3optional:b
core.FileKeySelector 1volumeName:s 2path:s 3key:s 4optional:b
core.ExecAction 1command:*s
core.HTTPGetAction 1path:s 2port:I 3host:s 4scheme:s 5httpHeaders:*core.HTTPHeader
core.TCPSocketAction 1port:I 2host:s
core.GRPCAction 1port:i 2service:s
core.SleepAction 1seconds:i
core.NodeSelectorTerm 1matchExpressions:*core.NodeSelectorRequirement 2matchFields:*core.NodeSelectorRequirement
networking.HTTPIngressPath 1path:s 3pathType:s 2backend:networking.IngressBackend
core.SecretProjection 1localObjectReference:!core.LocalObjectReference 2items:*core.KeyToPath 4optional:b
core.DownwardAPIProjection 1items:*core.DownwardAPIVolumeFile
core.ConfigMapProjection 1localObjectReference:!core.LocalObjectReference 2items:*core.KeyToPath 4optional:b
core.ServiceAccountTokenProjection 1audience:s 2expirationSeconds:i 3path:s
core.ClusterTrustBundleProjection 1name:s 2signerName:s 3labelSelector:meta.LabelSelector 5optional:b 4path:s
core.PodCertificateProjection 1signerName:s 2keyType:s 3maxExpirationSeconds:i 4credentialBundlePath:s 5keyPath:s 6certificateChainPath:s 7userAnnotations:<s
core.HTTPHeader 1name:s 2value:s
core.NodeSelectorRequirement 1key:s 2operator:s 3values:*s
`;
