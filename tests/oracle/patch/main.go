// Writes what upstream's Go code makes of generated patches: JSON lines {type, kind, target, patch,
// result|error}, and of writes to objects with managed fields. Deterministic. Cases whose outcome depends on Go's order of maps are left out.
//
//	patch OUT_DIR
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"

	jsonpatch "github.com/evanphx/json-patch"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

type kind struct {
	name   string
	object interface{}
	text   string
}

type outcome struct {
	Type   string          `json:"type"`
	Kind   string          `json:"kind"`
	Target json.RawMessage `json:"target"`
	Patch  json.RawMessage `json:"patch"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

var kinds = []kind{
	{"v1.Pod", corev1.Pod{}, pod},
	{"v1.Service", corev1.Service{}, service},
	{"v1.Node", corev1.Node{}, node},
	{"v1.ConfigMap", corev1.ConfigMap{}, configMap},
	{"v1.ServiceAccount", corev1.ServiceAccount{}, serviceAccount},
	{"apps/v1.Deployment", appsv1.Deployment{}, deployment},
	{"apps/v1.StatefulSet", appsv1.StatefulSet{}, statefulSet},
	{"batch/v1.CronJob", batchv1.CronJob{}, cronJob},
	{"networking.k8s.io/v1.Ingress", networkingv1.Ingress{}, ingress},
	{"rbac.authorization.k8s.io/v1.ClusterRole", rbacv1.ClusterRole{}, clusterRole},
	{"admissionregistration.k8s.io/v1.ValidatingWebhookConfiguration",
		admissionregistrationv1.ValidatingWebhookConfiguration{}, webhook},
	{"apiextensions.k8s.io/v1.CustomResourceDefinition", apiextensionsv1.CustomResourceDefinition{}, crd},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: patch OUT_DIR")
		os.Exit(2)
	}
	random := rand.New(rand.NewSource(36))
	for _, make := range []struct {
		name  string
		count int
		run   func(*rand.Rand, kind) outcome
	}{
		{"strategic", 1500, strategicCase},
		{"merge", 500, mergeCase},
		{"json", 700, jsonCase},
	} {
		write(filepath.Join(os.Args[1], "patch_"+make.name+".jsonl"), make.count, func(i int) outcome {
			return make.run(random, kinds[i%len(kinds)])
		})
	}
	writeManaged(filepath.Join(os.Args[1], "managed.jsonl"), managedCases(rand.New(rand.NewSource(37)), 500))
}

func writeManaged(path string, all []writing) {
	file, err := os.Create(path)
	must(err)
	out := json.NewEncoder(file)
	for _, w := range all {
		must(out.Encode(w))
	}
	must(file.Close())
}

func write(path string, count int, next func(i int) outcome) {
	file, err := os.Create(path)
	must(err)
	out := bufio.NewWriter(file)
	seen := map[string]bool{}
	for i, written := 0, 0; written < count; i++ {
		o := next(i)
		if len(o.Type) == 0 || seen[o.Kind+string(o.Target)+string(o.Patch)] {
			continue
		}
		seen[o.Kind+string(o.Target)+string(o.Patch)] = true
		line, err := json.Marshal(o)
		must(err)
		out.Write(line)
		out.WriteByte('\n')
		written++
	}
	must(out.Flush())
	must(file.Close())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// stable runs a case several times: Go walks maps in random order.
func stable(o outcome, run func() ([]byte, error)) outcome {
	for i := 0; i < 12; i++ {
		text, err := run()
		var result json.RawMessage
		message := ""
		if err != nil {
			message = err.Error()
		} else {
			result = text
		}
		if i > 0 && (message != o.Error || string(result) != string(o.Result)) {
			return outcome{}
		}
		o.Result, o.Error = result, message
	}
	return o
}

func guarded(run func() ([]byte, error)) func() ([]byte, error) {
	return func() (text []byte, err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
		}()
		return run()
	}
}

func strategicCase(random *rand.Rand, k kind) outcome {
	target := object(k.text)
	shrink(random, target, 0.25)
	patch := object(k.text)
	shrink(random, patch, 0.45)
	patch = mutate(random, patch, "", 0).(map[string]interface{})
	o := outcome{Type: "strategic", Kind: k.name, Target: marshal(target), Patch: marshal(patch)}
	o = stable(o, guarded(func() ([]byte, error) {
		var t, p map[string]interface{}
		must(kjson.Unmarshal(o.Target, &t))
		must(kjson.Unmarshal(o.Patch, &p))
		merged, err := strategicpatch.StrategicMergeMapPatch(t, p, k.object)
		if err != nil {
			return nil, err
		}
		return json.Marshal(merged)
	}))
	if len(o.Error) > 6 && o.Error[:6] == "panic:" {
		return outcome{}
	}
	return o
}

func mergeCase(random *rand.Rand, k kind) outcome {
	target := object(k.text)
	shrink(random, target, 0.25)
	var patch interface{} = object(k.text)
	shrink(random, patch, 0.5)
	patch = nulls(random, patch)
	if random.Intn(25) == 0 {
		patch = odd(random)
	}
	o := outcome{Type: "merge", Kind: k.name, Target: marshal(target), Patch: marshal(patch)}
	return stable(o, func() ([]byte, error) { return jsonpatch.MergePatch(o.Target, o.Patch) })
}

func jsonCase(random *rand.Rand, k kind) outcome {
	target := object(k.text)
	shrink(random, target, 0.25)
	operations := []interface{}{}
	paths := append(allPaths(target, ""), "/metadata")
	for n := 1 + random.Intn(3); n > 0; n-- {
		operations = append(operations, operation(random, target, paths))
	}
	var patch interface{} = operations
	if random.Intn(40) == 0 {
		patch = odd(random)
	}
	o := outcome{Type: "json", Kind: k.name, Target: marshal(target), Patch: marshal(patch)}
	return stable(o, guarded(func() ([]byte, error) {
		decoded, err := jsonpatch.DecodePatch(o.Patch)
		if err != nil {
			return nil, err
		}
		return decoded.Apply(o.Target)
	}))
}
