package main

import (
	"encoding/json"
	"math/rand"
	"sort"
	"strconv"
	"strings"

	kjson "k8s.io/apimachinery/pkg/util/json"
)

func object(text string) map[string]interface{} {
	var m map[string]interface{}
	must(kjson.Unmarshal([]byte(text), &m))
	return m
}

func marshal(v interface{}) []byte {
	text, err := json.Marshal(v)
	must(err)
	return text
}

func sortedKeys(m map[string]interface{}) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// shrink drops parts of an object, at any depth.
func shrink(random *rand.Rand, v interface{}, chance float64) {
	switch v := v.(type) {
	case map[string]interface{}:
		for _, k := range sortedKeys(v) {
			if random.Float64() < chance && !identifies(k) {
				delete(v, k)
				continue
			}
			if list, ok := v[k].([]interface{}); ok {
				kept := []interface{}{}
				for _, item := range list {
					if random.Float64() >= chance {
						kept = append(kept, item)
					}
				}
				v[k] = kept
			}
			shrink(random, v[k], chance)
		}
	case []interface{}:
		for _, item := range v {
			shrink(random, item, chance)
		}
	}
}

var mergeKeys = map[string]string{
	"containers": "name", "initContainers": "name", "volumes": "name", "env": "name", "ports": "containerPort",
	"volumeMounts": "mountPath", "imagePullSecrets": "name", "hostAliases": "ip", "conditions": "type",
	"ownerReferences": "uid", "secrets": "name", "addresses": "type", "taints": "key", "webhooks": "name",
	"topologySpreadConstraints": "topologyKey", "schedulingGates": "name", "volumeDevices": "devicePath",
}

func identifies(key string) bool {
	switch key {
	case "name", "containerPort", "mountPath", "ip", "type", "uid", "topologyKey", "port", "key", "devicePath":
		return true
	}
	return false
}

// mutate turns an object into a strategic merge patch: other scalars, nulls, directives, now and then
// nonsense.
func mutate(random *rand.Rand, v interface{}, key string, depth int) interface{} {
	switch v := v.(type) {
	case map[string]interface{}:
		return mutateMap(random, v, key, depth)
	case []interface{}:
		for i := range v {
			v[i] = mutate(random, v[i], key, depth+1)
		}
		if len(v) > 0 && random.Intn(4) == 0 {
			random.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
		}
		return v
	case string:
		if random.Intn(3) == 0 && depth > 1 {
			return v + strconv.Itoa(random.Intn(3))
		}
	case int64:
		if random.Intn(3) == 0 {
			return v + int64(random.Intn(3))
		}
	case bool:
		return random.Intn(2) == 0
	}
	return v
}

func mutateMap(random *rand.Rand, m map[string]interface{}, key string, depth int) interface{} {
	for _, k := range sortedKeys(m) {
		if identifies(k) && random.Intn(12) != 0 {
			continue
		}
		if random.Intn(9) == 0 && depth > 0 {
			m[k] = nil
			continue
		}
		m[k] = mutate(random, m[k], k, depth+1)
		if list, ok := m[k].([]interface{}); ok {
			mutateList(random, m, k, list)
		}
	}
	if depth > 0 && random.Intn(14) == 0 {
		m["$patch"] = []interface{}{"replace", "delete", "replace", "merge", "nonsense", int64(1)}[random.Intn(6)]
	}
	if depth > 0 && random.Intn(14) == 0 {
		keys := []interface{}{}
		for _, k := range sortedKeys(m) {
			if random.Intn(12) != 0 && !strings.HasPrefix(k, "$") {
				keys = append(keys, k)
			}
		}
		m["$retainKeys"] = keys
		if random.Intn(10) == 0 {
			m["$retainKeys"] = "all"
		}
	}
	if random.Intn(25) == 0 {
		m["unheard"+strconv.Itoa(random.Intn(3))] = map[string]interface{}{"a": nil, "b": []interface{}{int64(1)}}
	}
	return m
}

func mutateList(random *rand.Rand, m map[string]interface{}, k string, list []interface{}) {
	if _, ok := mergeKeys[k]; ok && random.Intn(4) == 0 {
		order := []interface{}{}
		for _, item := range list {
			if entry, ok := item.(map[string]interface{}); ok {
				one := map[string]interface{}{}
				for _, id := range []string{mergeKeys[k], "port"} {
					if value, ok := entry[id]; ok {
						one[id] = value
					}
				}
				order = append(order, one)
			}
		}
		if random.Intn(6) == 0 {
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		m["$setElementOrder/"+k] = order
	}
	if k == "finalizers" || k == "args" {
		if random.Intn(2) == 0 {
			m["$deleteFromPrimitiveList/"+k] = []interface{}{"a.io/one", "b.io/two"}[:1+random.Intn(2)]
			delete(m, k)
		} else if random.Intn(2) == 0 {
			m["$setElementOrder/"+k] = append([]interface{}{}, list...)
		}
	}
	if random.Intn(60) == 0 {
		m["$setElementOrder"] = []interface{}{"x"}
	}
	if random.Intn(60) == 0 {
		m["$deleteFromPrimitiveList"] = []interface{}{"x"}
	}
	if random.Intn(12) == 0 && len(list) > 0 {
		if entry, ok := list[0].(map[string]interface{}); ok {
			entry["$patch"] = []interface{}{"delete", "delete", "replace", "merge"}[random.Intn(4)]
		}
	}
}

// nulls sprinkles nulls and other values over a merge patch.
func nulls(random *rand.Rand, v interface{}) interface{} {
	if random.Intn(12) == 0 {
		return []interface{}{nil, "text", int64(7), 1.5, true, []interface{}{nil, map[string]interface{}{"x": nil}},
			map[string]interface{}{"y": nil, "z": "<&>"}}[random.Intn(7)]
	}
	switch v := v.(type) {
	case map[string]interface{}:
		for _, k := range sortedKeys(v) {
			v[k] = nulls(random, v[k])
		}
	case []interface{}:
		for i := range v {
			v[i] = nulls(random, v[i])
		}
	}
	return v
}

func odd(random *rand.Rand) interface{} {
	return []interface{}{nil, "text", int64(7), true, []interface{}{nil, int64(1)}, map[string]interface{}{},
		[]interface{}{"text"}, []interface{}{map[string]interface{}{"op": int64(1)}},
		[]interface{}{map[string]interface{}{"op": "add", "path": int64(1)}},
		[]interface{}{map[string]interface{}{"op": "move", "from": true, "path": "/a"}}}[random.Intn(10)]
}

func allPaths(v interface{}, at string) []string {
	paths := []string{}
	switch v := v.(type) {
	case map[string]interface{}:
		for _, k := range sortedKeys(v) {
			below := at + "/" + strings.ReplaceAll(strings.ReplaceAll(k, "~", "~0"), "/", "~1")
			paths = append(append(paths, below), allPaths(v[k], below)...)
		}
	case []interface{}:
		for i := range v {
			below := at + "/" + strconv.Itoa(i)
			paths = append(append(paths, below), allPaths(v[i], below)...)
		}
		paths = append(paths, at+"/-", at+"/"+strconv.Itoa(len(v)), at+"/-1")
	}
	return paths
}

func find(v interface{}, path string) interface{} {
	for _, part := range strings.Split(path, "/")[1:] {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		switch c := v.(type) {
		case map[string]interface{}:
			v = c[part]
		case []interface{}:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(c) {
				return nil
			}
			v = c[i]
		}
	}
	return v
}

func operation(random *rand.Rand, target interface{}, paths []string) map[string]interface{} {
	path := func() string {
		p := paths[random.Intn(len(paths))]
		switch random.Intn(40) {
		case 0:
			return p + "/missing"
		case 1:
			return p[:strings.LastIndex(p, "/")] + "/new~1key~0"
		case 2:
			return strings.TrimPrefix(p, "/")
		case 3:
			return p + []string{"/-", "/99", "/-99", "/x", "/"}[random.Intn(5)]
		}
		return p
	}
	op := map[string]interface{}{
		"op":   []string{"add", "remove", "replace", "move", "copy", "test", "test", "replace", "add", "copy", "move", "remove", "test", "add", "replace", "copy", "remove", "bad"}[random.Intn(18)],
		"path": path(),
	}
	if op["op"] == "move" || op["op"] == "copy" {
		op["from"] = path()
	}
	values := []interface{}{"text", int64(5), true, nil, map[string]interface{}{"a": int64(1)}, []interface{}{"b", nil},
		find(target, op["path"].(string))}
	if random.Intn(20) != 0 {
		op["value"] = values[random.Intn(len(values))]
	}
	if op["op"] == "test" && random.Intn(4) != 0 {
		op["value"] = find(target, op["path"].(string))
	}
	if random.Intn(40) == 0 {
		delete(op, "path")
	}
	return op
}
