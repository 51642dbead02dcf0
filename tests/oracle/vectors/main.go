// Writes what upstream's serializers make of objects that its round-trip vectors do not hold: kinds
// without a vector, structs with fields absent, null, zero and with empty elements, and values of a
// wrong kind with Go's messages. One JSON object a line; run by hand, the answers are kept.
//
//	vectors OUT_DIR
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	jsonserializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
)

type vector struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"` // apiVersion/kind of our tables
	In     string   `json:"in"`
	Out    string   `json:"out,omitempty"`
	Proto  []byte   `json:"pb,omitempty"`
	Back   string   `json:"back,omitempty"` // JSON again after protobuf, if it differs
	Error  string   `json:"error,omitempty"`
	Strict []string `json:"strict,omitempty"`
}

var served = []schema.GroupVersion{
	{Group: "", Version: "v1"}, {Group: "admission.k8s.io", Version: "v1"},
	{Group: "admissionregistration.k8s.io", Version: "v1"}, {Group: "apidiscovery.k8s.io", Version: "v2"},
	{Group: "apiextensions.k8s.io", Version: "v1"}, {Group: "apiregistration.k8s.io", Version: "v1"},
	{Group: "apps", Version: "v1"}, {Group: "authentication.k8s.io", Version: "v1"},
	{Group: "authorization.k8s.io", Version: "v1"}, {Group: "autoscaling", Version: "v1"},
	{Group: "autoscaling", Version: "v2"}, {Group: "batch", Version: "v1"},
	{Group: "certificates.k8s.io", Version: "v1"}, {Group: "coordination.k8s.io", Version: "v1"},
	{Group: "discovery.k8s.io", Version: "v1"}, {Group: "events.k8s.io", Version: "v1"},
	{Group: "flowcontrol.apiserver.k8s.io", Version: "v1"}, {Group: "networking.k8s.io", Version: "v1"},
	{Group: "node.k8s.io", Version: "v1"}, {Group: "policy", Version: "v1"},
	{Group: "rbac.authorization.k8s.io", Version: "v1"}, {Group: "resource.k8s.io", Version: "v1"},
	{Group: "scheduling.k8s.io", Version: "v1"}, {Group: "storage.k8s.io", Version: "v1"},
}

// Kinds of meta/v1 that are registered in every group-version; we keep them in their own.
var metaKinds = []string{"APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "CreateOptions",
	"DeleteOptions", "GetOptions", "List", "ListOptions", "PatchOptions", "Status", "UpdateOptions"}

var (
	scheme  = runtime.NewScheme()
	lenient = jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, scheme, scheme,
		jsonserializer.SerializerOptions{})
	strict = jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, scheme, scheme,
		jsonserializer.SerializerOptions{Strict: true})
	proto = protobuf.NewSerializer(scheme, scheme)
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(name, kind, in string) vector {
	v := vector{Name: name, Kind: kind, In: in}
	obj, _, err := lenient.Decode([]byte(in), nil, nil)
	if err != nil {
		v.Error = strings.Replace(err.Error(), "main.", "v1.", 1) // aggregator.go
		return v
	}
	if _, _, err := strict.Decode([]byte(in), nil, nil); err != nil {
		list, ok := runtime.AsStrictDecodingError(err)
		if !ok {
			check(fmt.Errorf("%s: %w", name, err))
		}
		for _, e := range list.Errors() {
			v.Strict = append(v.Strict, e.Error())
		}
	}
	var out bytes.Buffer
	check(lenient.Encode(obj, &out))
	v.Out = strings.TrimSuffix(out.String(), "\n")
	out.Reset()
	if proto.Encode(obj, &out) == nil {
		v.Proto = bytes.Clone(out.Bytes())
		back, _, err := proto.Decode(v.Proto, nil, nil)
		check(err)
		out.Reset()
		check(lenient.Encode(back, &out))
		if text := strings.TrimSuffix(out.String(), "\n"); text != v.Out {
			v.Back = text
		}
	}
	return v
}

// A struct of the API and how JSON gets there: what stands before and behind its own text.
type place struct {
	kind, before, after string
	apiVersion          string
}

func tag(f reflect.StructField) (name string, inline bool) {
	name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name, (name == "" && f.Anonymous) || strings.Contains(rest, "inline")
}

// Fields as JSON has them, embedded structs' own in their place, TypeMeta aside.
func fields(t reflect.Type) []reflect.StructField {
	var all []reflect.StructField
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		name, inline := tag(f)
		switch {
		case f.Type == reflect.TypeFor[metav1.TypeMeta]() || name == "-" || !f.IsExported():
		case inline:
			all = append(all, fields(f.Type)...)
		default:
			all = append(all, f)
		}
	}
	return all
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// A struct that JSON shows as an object of its fields.
func isPlain(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(unmarshaler)
}

func quote(name string) string { return `"` + name + `":` }

func visit(found map[reflect.Type]place, order *[]reflect.Type, t reflect.Type, p place) {
	if _, seen := found[t]; seen || !isPlain(t) {
		return
	}
	found[t] = p
	*order = append(*order, t)
	for _, f := range fields(t) {
		name, _ := tag(f)
		before, after, below := p.before+"{"+quote(name), "}"+p.after, f.Type
		for below.Kind() == reflect.Pointer || below.Kind() == reflect.Slice || below.Kind() == reflect.Map {
			switch below.Kind() {
			case reflect.Slice:
				before, after = before+"[", "]"+after
			case reflect.Map:
				before, after = before+`{"k":`, "}"+after
			}
			below = below.Elem()
		}
		visit(found, order, below, place{p.kind, before, after, p.apiVersion})
	}
}

// The document that has `body` where the struct goes.
func (p place) document(body string) string {
	text := p.before + body + p.after
	head := fmt.Sprintf(`{"kind":%q,"apiVersion":%q`, p.kind[strings.LastIndex(p.kind, "/")+1:], p.apiVersion)
	if text == "{}" {
		return head + "}"
	}
	return head + "," + text[1:]
}

func zero(t reflect.Type, element string) string {
	switch t.String() {
	case "resource.Quantity":
		return `"0"`
	case "v1.Time", "v1.MicroTime", "*v1.Time", "*v1.MicroTime":
		return "null"
	case "v1.Duration":
		return `"0s"`
	case "intstr.IntOrString":
		return "0"
	case "v1.JSONSchemaPropsOrBool":
		return "false"
	case "interface {}":
		return `""`
	}
	switch t.Kind() {
	case reflect.Pointer:
		return zero(t.Elem(), element)
	case reflect.String:
		return `""`
	case reflect.Bool:
		return "false"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return `""`
		}
		if element == "" {
			return "[]"
		}
		return "[null," + zero(t.Elem(), "") + "]"
	case reflect.Map:
		if element == "" {
			return "{}"
		}
		return `{"b":` + zero(t.Elem(), "") + `,"a":null}`
	case reflect.Struct:
		return "{}"
	}
	return "0"
}

func wrong(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return "[true]"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wrong(t.Elem())
	case reflect.String:
		return "5"
	case reflect.Bool, reflect.Struct:
		return `"x"`
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return `"?"`
		}
		return "[" + wrong(t.Elem()) + "]"
	case reflect.Map:
		return `{"k":` + wrong(t.Elem()) + "}"
	}
	return "1.5"
}

func body(t reflect.Type, value func(reflect.StructField) string) string {
	var parts []string
	for _, f := range fields(t) {
		name, _ := tag(f)
		if v := value(f); v != "" {
			parts = append(parts, quote(name)+v)
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func sparse(t reflect.Type, p place, out *[]vector) {
	add := func(name, text string) {
		*out = append(*out, answer(p.kind+" "+t.String()+" "+name, p.kind, p.document(text)))
	}
	add("absent", "{}")
	add("null", body(t, func(f reflect.StructField) string {
		if f.Type.String() == "v1.Duration" {
			return ""
		}
		return "null"
	}))
	add("zero", body(t, func(f reflect.StructField) string { return zero(f.Type, "") }))
	elements := body(t, func(f reflect.StructField) string {
		if k := f.Type.Kind(); k != reflect.Slice && k != reflect.Map || f.Type.Elem().Kind() == reflect.Uint8 {
			return ""
		}
		return zero(f.Type, "e")
	})
	if elements != "{}" {
		add("elements", elements)
	}
}

func mistakes(t reflect.Type, p place, out *[]vector) {
	all := fields(t)
	if len(all) == 0 {
		return
	}
	for _, f := range all {
		name, _ := tag(f)
		v := answer(p.kind+" "+t.String()+" wrong "+name, p.kind, p.document("{"+quote(name)+wrong(f.Type)+"}"))
		if v.Error != "" {
			*out = append(*out, v)
		}
	}
	name, _ := tag(all[0])
	text := `{"unknown":{"a":1},` + quote(name) + "null," + quote(name) + `null,"a\"<\u00e9\u0001":0}`
	*out = append(*out, answer(p.kind+" "+t.String()+" strict", p.kind, p.document(text)))
}

func write(path string, vectors []vector) {
	file, err := os.Create(path)
	check(err)
	w := bufio.NewWriter(file)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, v := range vectors {
		check(e.Encode(v))
	}
	check(w.Flush())
	check(file.Close())
}

func main() {
	check(clientscheme.AddToScheme(scheme))
	check(apiextensions.AddToScheme(scheme))
	check(addAggregator(scheme))
	check(addReviews(scheme))
	metav1.AddToGroupVersion(scheme, metav1.SchemeGroupVersion)
	check(metav1.AddMetaToScheme(scheme))

	found, order := map[reflect.Type]place{}, []reflect.Type{}
	for _, gv := range served {
		var names []string
		for name, t := range scheme.KnownTypes(gv) {
			if !strings.HasPrefix(t.PkgPath(), "k8s.io/apimachinery/") && name != "List" {
				names = append(names, name)
			}
		}
		sort.Strings(names)
		for _, name := range names {
			api := gv.String()
			visit(found, &order, scheme.KnownTypes(gv)[name], place{kind: api + "/" + name, apiVersion: api})
		}
	}
	for _, name := range append(metaKinds, "Table", "TableOptions", "PartialObjectMetadata",
		"PartialObjectMetadataList") {
		gv := schema.GroupVersion{Group: "meta.k8s.io", Version: "v1"}
		kind := gv.String() + "/" + name
		if t, ok := scheme.KnownTypes(gv)[name]; ok {
			visit(found, &order, t, place{kind: kind, apiVersion: gv.String()})
		} else {
			visit(found, &order, scheme.KnownTypes(schema.GroupVersion{Version: "v1"})[name],
				place{kind: kind, apiVersion: "v1"})
		}
	}
	var few, bad, full, chance []vector
	for _, t := range order {
		sparse(t, found[t], &few)
		mistakes(t, found[t], &bad)
	}
	fillAll(&full)
	randomAll(order, found, &chance)
	write(filepath.Join(os.Args[1], "sparse.jsonl"), few)
	write(filepath.Join(os.Args[1], "mistakes.jsonl"), bad)
	write(filepath.Join(os.Args[1], "kinds.jsonl"), full)
	write(filepath.Join(os.Args[1], "random.jsonl"), chance)
	fmt.Printf("%d structs: %d sparse, %d mistakes, %d kinds, %d random\n", len(order), len(few), len(bad),
		len(full), len(chance))
}
