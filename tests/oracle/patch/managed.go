package main

import (
	"encoding/json"
	"math/rand"
	"sort"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// writing is one write to an object and what upstream's field manager makes of it.
type writing struct {
	Kind        string          `json:"kind"`
	Operation   string          `json:"operation"`
	Manager     string          `json:"manager"`
	Subresource string          `json:"subresource,omitempty"`
	Reset       []string        `json:"reset,omitempty"`
	Force       bool            `json:"force,omitempty"`
	Live        json.RawMessage `json:"live,omitempty"`
	Object      json.RawMessage `json:"object"`
	Result      json.RawMessage `json:"result,omitempty"`
	Error       string          `json:"error,omitempty"`
}

var managedKinds = []string{"v1.Pod", "v1.Service", "v1.Node", "v1.ConfigMap", "v1.ServiceAccount", "apps/v1.Deployment",
	"apps/v1.StatefulSet", "batch/v1.CronJob", "networking.k8s.io/v1.Ingress", "rbac.authorization.k8s.io/v1.ClusterRole"}

func kindOf(name string) (kind, schema.GroupVersionKind) {
	for _, k := range kinds {
		if k.name == name {
			at := strings.LastIndex(name, ".")
			gv, err := schema.ParseGroupVersion(name[:at])
			must(err)
			return k, gv.WithKind(name[at+1:])
		}
	}
	panic(name)
}

// vary changes scalars, shuffles lists, now and then puts in what does not belong.
func vary(random *rand.Rand, v interface{}, key string, odd bool) interface{} {
	switch v := v.(type) {
	case map[string]interface{}:
		for _, k := range sortedKeys(v) {
			if k == "apiVersion" || k == "kind" || k == "name" || k == "namespace" || k == "uid" || k == "managedFields" {
				continue
			}
			v[k] = vary(random, v[k], k, odd)
			if odd && random.Intn(60) == 0 {
				v[k] = []interface{}{nil, nil, map[string]interface{}{}, []interface{}{}, "text", int64(3), true}[random.Intn(7)]
			}
		}
		if odd && random.Intn(80) == 0 {
			v["unheard"] = "x"
		}
		return v
	case []interface{}:
		for i := range v {
			v[i] = vary(random, v[i], key, odd)
		}
		if len(v) > 1 && random.Intn(3) == 0 {
			random.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
		}
		if len(v) > 0 && random.Intn(25) == 0 {
			v = append(v, v[random.Intn(len(v))])
		}
		return v
	case string:
		if random.Intn(6) == 0 && !identifies(key) && key != "cpu" && key != "memory" && key != "storage" && key != "sizeLimit" && key != "x" {
			return v + strconv.Itoa(random.Intn(2))
		}
	case int64:
		if random.Intn(6) == 0 {
			return v + int64(random.Intn(2))
		}
	case bool:
		return random.Intn(4) != 0
	}
	return v
}

func filter(gv schema.GroupVersion, paths []string) map[fieldpath.APIVersion]fieldpath.Filter {
	set := fieldpath.NewSet()
	for _, path := range paths {
		parts := []interface{}{}
		for _, part := range strings.Split(path, ".") {
			parts = append(parts, part)
		}
		set.Insert(fieldpath.MakePathOrDie(parts...))
	}
	return map[fieldpath.APIVersion]fieldpath.Filter{fieldpath.APIVersion(gv.String()): fieldpath.NewExcludeSetFilter(set)}
}

func typed(gvk schema.GroupVersionKind, text []byte) runtime.Object {
	o, err := scheme.Scheme.New(gvk)
	must(err)
	if text != nil {
		if err := json.Unmarshal(text, o); err != nil {
			return nil
		}
	}
	o.GetObjectKind().SetGroupVersionKind(gvk)
	return o
}

// run is what the API server does, without defaults. Times are left out, entries sorted.
func (w *writing) run() ([]byte, error) {
	_, gvk := kindOf(w.Kind)
	m, err := managedfields.NewDefaultFieldManager(applyconfigurations.NewTypeConverter(scheme.Scheme), scheme.Scheme,
		scheme.Scheme, scheme.Scheme, gvk, gvk.GroupVersion(), w.Subresource, filter(gvk.GroupVersion(), w.Reset))
	must(err)
	live := typed(gvk, w.Live)
	var result runtime.Object
	if w.Operation == "apply" {
		u := &unstructured.Unstructured{}
		must(u.UnmarshalJSON(w.Object))
		result, err = m.Apply(live, u, w.Manager, w.Force)
		if err != nil {
			return nil, err
		}
	} else {
		result = m.UpdateNoErrors(live, typed(gvk, w.Object), w.Manager)
	}
	result.GetObjectKind().SetGroupVersionKind(gvk)
	access, err := meta.Accessor(result)
	must(err)
	access.SetUID("u-1")
	entries := access.GetManagedFields()
	for i := range entries {
		entries[i].Time = nil
	}
	sort.SliceStable(entries, func(i, j int) bool {
		a, b := entries[i], entries[j]
		return a.Manager+"/"+string(a.Operation)+a.APIVersion+a.Subresource < b.Manager+"/"+string(b.Operation)+b.APIVersion+b.Subresource
	})
	access.SetManagedFields(entries)
	return json.Marshal(result)
}

func (w writing) stable() (writing, bool) {
	o := stable(outcome{Type: "managed"}, guarded(w.run))
	w.Result, w.Error = o.Result, o.Error
	return w, o.Type != "" && !strings.HasPrefix(o.Error, "panic:")
}

func status(w *writing, k kind) {
	if w.Reset = nil; strings.Contains(k.text, `"status"`) {
		w.Reset = []string{"status"}
	}
}

func applied(random *rand.Rand, k kind, live []byte) writing {
	config := object(k.text)
	shrink(random, config, 0.5)
	for key, value := range map[string]interface{}{"apiVersion": object(k.text)["apiVersion"], "kind": object(k.text)["kind"]} {
		config[key] = value
	}
	if config["metadata"] == nil {
		config["metadata"] = map[string]interface{}{"name": "one"}
	}
	vary(random, config, "", random.Intn(6) == 0)
	if random.Intn(3) != 0 && live != nil {
		delete(config, "status")
	}
	w := writing{Kind: k.name, Operation: "apply", Manager: []string{"one", "two", "kubectl"}[random.Intn(3)],
		Force: random.Intn(2) == 0, Live: live, Object: marshal(config)}
	status(&w, k)
	return w
}

func updated(random *rand.Rand, k kind, live []byte) writing {
	next := object(k.text)
	if live != nil {
		next = object(string(live))
	}
	entries, has := next["metadata"].(map[string]interface{})["managedFields"]
	delete(next["metadata"].(map[string]interface{}), "managedFields")
	shrink(random, next, 0.15)
	if next["metadata"] == nil {
		next["metadata"] = map[string]interface{}{"name": "one"}
	}
	vary(random, next, "", false)
	m := next["metadata"].(map[string]interface{})
	switch random.Intn(10) {
	case 0, 1, 2, 3:
		if has {
			m["managedFields"] = entries
		}
	case 4:
		m["managedFields"] = []interface{}{}
	case 5:
		m["managedFields"] = []interface{}{map[string]interface{}{}}
	case 6:
		m["managedFields"] = []interface{}{map[string]interface{}{"manager": "odd", "operation": "Update", "apiVersion": "v9",
			"fieldsType": "FieldsV1", "fieldsV1": map[string]interface{}{"f:metadata": map[string]interface{}{}}}}
	case 7:
		m["managedFields"] = []interface{}{map[string]interface{}{"manager": "odd", "operation": []string{"Update", "Delete"}[random.Intn(2)],
			"apiVersion": object(k.text)["apiVersion"], "fieldsType": "FieldsV1", "fieldsV1": map[string]interface{}{
				"f:spec": map[string]interface{}{"f:x": map[string]interface{}{}, "k:{\"b\":2,\"a\":\"x\"}": map[string]interface{}{".": map[string]interface{}{}, "v:1": map[string]interface{}{}}}}}}
	}
	w := writing{Kind: k.name, Operation: "update", Manager: []string{"one", "two", "three"}[random.Intn(3)], Live: live}
	status(&w, k)
	if live != nil && w.Reset != nil && random.Intn(4) == 0 {
		w.Subresource, w.Reset = "status", []string{"spec"}
	}
	w.Object = marshal(next)
	return w
}

// managedCases are writes to objects, each beginning with what the one before it left.
func managedCases(random *rand.Rand, count int) []writing {
	all := []writing{}
	for len(all) < count {
		k, gvk := kindOf(managedKinds[random.Intn(len(managedKinds))])
		var live []byte
		for n := 2 + random.Intn(4); n > 0 && len(all) < count; n-- {
			make := applied
			if random.Intn(2) == 0 {
				make = updated
			}
			w := make(random, k, live)
			if typed(gvk, w.Object) == nil && w.Operation == "update" {
				continue
			}
			w, ok := w.stable()
			if !ok {
				continue
			}
			all = append(all, w)
			if w.Error == "" {
				live = w.Result
				if random.Intn(9) == 0 {
					bare := object(string(live))
					delete(bare["metadata"].(map[string]interface{}), "managedFields")
					live = marshal(bare)
				}
			}
		}
	}
	return all
}
