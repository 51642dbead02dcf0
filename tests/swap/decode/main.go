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

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	runtimejson "k8s.io/apimachinery/pkg/runtime/serializer/json"
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

// What upstream keeps as JSON; of APIService there is no type here.
func decodeJSON(e entry) (runtime.Object, runtime.Encoder, error) {
	typed := runtimejson.NewSerializerWithOptions(runtimejson.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		runtimejson.SerializerOptions{})
	object, kind, err := typed.Decode(e.Value, nil, nil)
	if runtime.IsNotRegisteredError(err) {
		object, _, err = unstructured.UnstructuredJSONScheme.Decode(e.Value, nil, nil)
		return object, nil, err
	}
	if err == nil {
		object.GetObjectKind().SetGroupVersionKind(*kind)
	}
	return object, typed, err
}

func decodeProtobuf(e entry) (runtime.Object, runtime.Encoder, error) {
	object, kind, err := scheme.Codecs.UniversalDeserializer().Decode(e.Value, nil, nil)
	if err == nil {
		object.GetObjectKind().SetGroupVersionKind(*kind)
	}
	return object, protobuf.NewSerializer(scheme.Scheme, scheme.Scheme), err
}

func decode(e entry) told {
	key, read := string(e.Key), decodeProtobuf
	if bytes.HasPrefix(e.Value, []byte("{")) {
		read = decodeJSON
	}
	object, encoder, err := read(e)
	check(key, err)
	kind := object.GetObjectKind().GroupVersionKind()
	about, err := meta.Accessor(object)
	check(key, err)
	var again bytes.Buffer
	if encoder != nil {
		check(key, encoder.Encode(object, &again))
	}
	version, name := kind.ToAPIVersionAndKind()
	return told{key, version, name, about.GetNamespace(), about.GetName(), string(about.GetUID()),
		encoder == nil || bytes.Equal(bytes.TrimSpace(again.Bytes()), bytes.TrimSpace(e.Value))}
}

func main() {
	check("apiextensions", apiextensions.AddToScheme(scheme.Scheme))
	var all struct{ Kvs []entry }
	check("etcdctl's answer", json.NewDecoder(os.Stdin).Decode(&all))
	out := json.NewEncoder(os.Stdout)
	for _, e := range all.Kvs {
		check("writing", out.Encode(decode(e)))
	}
}
