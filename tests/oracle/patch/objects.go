package main

const metadata = `"metadata":{"name":"one","namespace":"two","uid":"u-1","labels":{"app":"web","tier":"front"},
 "annotations":{"a.io/x":"1","b.io/y":"<two>"},"finalizers":["a.io/one","b.io/two","c.io/three"],
 "ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"n","uid":"u-2"},{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u-3"}]}`

const container = `{"name":"web","image":"nginx:1","args":["-a","-b","-c"],
 "ports":[{"name":"http","containerPort":80,"protocol":"TCP"},{"name":"dns","containerPort":53,"protocol":"UDP"},{"containerPort":53,"protocol":"TCP"}],
 "env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},{"name":"C","value":"$(A)"}],
 "resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m"}},
 "volumeMounts":[{"name":"data","mountPath":"/data"},{"name":"data","mountPath":"/more","readOnly":true}],
 "livenessProbe":{"httpGet":{"path":"/","port":80,"httpHeaders":[{"name":"X","value":"y"}]},"periodSeconds":5}}`

const podSpec = `{"restartPolicy":"Always","terminationGracePeriodSeconds":30,"nodeSelector":{"disk":"ssd","zone":"a"},
 "containers":[` + container + `,{"name":"side","image":"busybox","command":["sleep","1"]},{"name":"third","image":"x"}],
 "initContainers":[{"name":"init","image":"busybox"}],
 "volumes":[{"name":"data","emptyDir":{"sizeLimit":"1Gi"}},{"name":"conf","configMap":{"name":"cm","items":[{"key":"k","path":"p"}]}},
  {"name":"secret","secret":{"secretName":"s","optional":true}}],
 "tolerations":[{"key":"a","operator":"Exists"},{"key":"b","value":"c"}],"imagePullSecrets":[{"name":"r1"},{"name":"r2"}],
 "hostAliases":[{"ip":"1.2.3.4","hostnames":["a","b"]},{"ip":"1.2.3.5","hostnames":["c"]}],
 "topologySpreadConstraints":[{"topologyKey":"zone","maxSkew":1,"whenUnsatisfiable":"DoNotSchedule"},{"topologyKey":"host","maxSkew":2,"whenUnsatisfiable":"ScheduleAnyway"}],
 "affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"host","labelSelector":{"matchLabels":{"app":"web"}}}]}}}`

const template = `{"metadata":{"labels":{"app":"web","v":"1"}},"spec":` + podSpec + `}`

const pod = `{"apiVersion":"v1","kind":"Pod",` + metadata + `,"spec":` + podSpec + `,
 "status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"},{"type":"Initialized","status":"True"},{"type":"PodScheduled","status":"True"}],
 "podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}],"containerStatuses":[{"name":"web","ready":true,"restartCount":1}]}}`

const service = `{"apiVersion":"v1","kind":"Service",` + metadata + `,"spec":{"type":"ClusterIP","clusterIP":"10.0.0.10","clusterIPs":["10.0.0.10"],
 "selector":{"app":"web"},"ports":[{"name":"a","port":80,"protocol":"TCP","targetPort":8080},{"name":"b","port":443,"targetPort":"https"},{"name":"c","port":53,"protocol":"UDP"}],
 "externalIPs":["1.1.1.1","2.2.2.2"],"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":10}}},
 "status":{"loadBalancer":{"ingress":[{"ip":"3.3.3.3"}]},"conditions":[{"type":"x","status":"True","reason":"r","message":"m"}]}}`

const node = `{"apiVersion":"v1","kind":"Node",` + metadata + `,"spec":{"podCIDR":"10.1.0.0/24","podCIDRs":["10.1.0.0/24","fd01::/64"],
 "taints":[{"key":"a","effect":"NoSchedule"},{"key":"b","effect":"NoExecute","value":"v"}],"unschedulable":true},
 "status":{"addresses":[{"type":"InternalIP","address":"10.0.0.2"},{"type":"Hostname","address":"n"},{"type":"InternalIP","address":"fd00::2"}],
 "conditions":[{"type":"Ready","status":"True"},{"type":"MemoryPressure","status":"False"},{"type":"DiskPressure","status":"False"}],
 "capacity":{"cpu":"4","memory":"8Gi"},"images":[{"names":["a","b"],"sizeBytes":5},{"names":["c"]}],"volumesInUse":["v1","v2"]}}`

const configMap = `{"apiVersion":"v1","kind":"ConfigMap",` + metadata + `,"data":{"a":"1","b":"two\nlines","c.txt":"<&>"},
 "binaryData":{"x":"AAEC"},"immutable":false}`

const serviceAccount = `{"apiVersion":"v1","kind":"ServiceAccount",` + metadata + `,"secrets":[{"name":"s1"},{"name":"s2","namespace":"n"}],
 "imagePullSecrets":[{"name":"r1"},{"name":"r2"},{"name":"r3"}],"automountServiceAccountToken":true}`

const deployment = `{"apiVersion":"apps/v1","kind":"Deployment",` + metadata + `,"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"},
 "matchExpressions":[{"key":"v","operator":"In","values":["1","2"]}]},"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":1}},
 "template":` + template + `},"status":{"conditions":[{"type":"Available","status":"True"},{"type":"Progressing","status":"True"}],"replicas":3}}`

const statefulSet = `{"apiVersion":"apps/v1","kind":"StatefulSet",` + metadata + `,"spec":{"serviceName":"s","replicas":2,"template":` + template + `,
 "volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}],
 "updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":1}}}}`

const cronJob = `{"apiVersion":"batch/v1","kind":"CronJob",` + metadata + `,"spec":{"schedule":"* * * * *","suspend":false,
 "jobTemplate":{"metadata":{"labels":{"a":"b"}},"spec":{"completions":2,"template":` + template + `}}},
 "status":{"active":[{"name":"j1","uid":"1"},{"name":"j2","uid":"2"}]}}`

const ingress = `{"apiVersion":"networking.k8s.io/v1","kind":"Ingress",` + metadata + `,"spec":{"ingressClassName":"x",
 "rules":[{"host":"a.b","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"s","port":{"number":80}}}}]}},{"host":"c.d"}],
 "tls":[{"hosts":["a.b","c.d"],"secretName":"t"}]}}`

const clusterRole = `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole",` + metadata + `,
 "rules":[{"apiGroups":[""],"resources":["pods","nodes"],"verbs":["get","list"]},{"nonResourceURLs":["/x"],"verbs":["*"]}],
 "aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}},{"matchLabels":{"c":"d"}}]}}`

const webhook = `{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration",` + metadata + `,
 "webhooks":[{"name":"a.b.c","clientConfig":{"service":{"name":"s","namespace":"n","port":443},"caBundle":"AAEC"},"admissionReviewVersions":["v1"],
 "sideEffects":"None","rules":[{"apiGroups":["*"],"operations":["CREATE"],"resources":["pods"]}],"matchConditions":[{"name":"m","expression":"true"},{"name":"n","expression":"false"}]},
 {"name":"d.e.f","failurePolicy":"Ignore","timeoutSeconds":5}]}`

const crd = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",` + metadata + `,"spec":{"group":"a.io","scope":"Namespaced",
 "names":{"plural":"boats","kind":"Boat","shortNames":["bo","bt"]},
 "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","x-kubernetes-validations":[{"rule":"a","message":"m"},{"rule":"b"}]},"n":{"type":"integer","minimum":1.5}}}}},
 {"name":"v2","served":false,"storage":false}]},"status":{"conditions":[{"type":"Established","status":"True"},{"type":"NamesAccepted","status":"True"}],"storedVersions":["v1"]}}`
