// Decodes with upstream's types what an API server has put into etcd.
//
//	etcdctl get --prefix /registry/ -w json | decode
//
// Prints one JSON object a line: the key, what it holds, and whether upstream's encoder makes the same bytes of it.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

type entry struct {
	Key, Value []byte
}

type told struct {
	Key        string `json:"key"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Same       bool   `json:"same"`
}

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func decode(e entry) told {
	key := string(e.Key)
	object, kind, err := scheme.Codecs.UniversalDeserializer().Decode(e.Value, nil, nil)
	check(key, err)
	object.GetObjectKind().SetGroupVersionKind(*kind)
	about, err := meta.Accessor(object)
	check(key, err)
	var again bytes.Buffer
	check(key, protobuf.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(object, &again))
	version, name := kind.ToAPIVersionAndKind()
	return told{key, version, name, about.GetNamespace(), about.GetName(), string(about.GetUID()),
		bytes.Equal(again.Bytes(), e.Value)}
}

func main() {
	var all struct{ Kvs []entry }
	check("etcdctl's answer", json.NewDecoder(os.Stdin).Decode(&all))
	out := json.NewEncoder(os.Stdout)
	for _, e := range all.Kvs {
		check("writing", out.Encode(decode(e)))
	}
}
