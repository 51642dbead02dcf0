package main

// Objects with every field set, from the field's own name, for kinds without a vector upstream.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

const deepest = 9

func full(t reflect.Type, name string, depth int) string {
	switch t.String() {
	case "resource.Quantity":
		return `"1500m"`
	case "v1.Time":
		return `"2004-01-02T03:04:05Z"`
	case "v1.MicroTime":
		return `"2004-01-02T03:04:05.000006Z"`
	case "v1.Duration":
		return `"1m30s"`
	case "intstr.IntOrString":
		return `"` + name + `"`
	case "runtime.RawExtension":
		return `{"apiVersion":"example.com/v1","kind":"CustomType","spec":{"replicas":1},"status":{"available":1}}`
	case "v1.FieldsV1":
		return `{"f:spec":{".":{},"f:` + name + `":{}}}`
	case "v1.JSON":
		return `{"` + name + `":[1,2.5,"x",null]}`
	case "interface {}":
		return `"` + name + `"`
	case "v1.JSONSchemaPropsOrBool":
		if depth > 4 {
			return "true"
		}
		return full(t.Field(1).Type, name, depth)
	case "v1.JSONSchemaPropsOrArray":
		return "[" + full(t.Field(0).Type, name, depth) + "]"
	case "v1.JSONSchemaPropsOrStringArray":
		return `["` + name + `Value"]`
	}
	switch t.Kind() {
	case reflect.Pointer:
		return full(t.Elem(), name, depth)
	case reflect.String:
		return `"` + name + `Value"`
	case reflect.Bool:
		return "true"
	case reflect.Float64:
		return "2.75"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return `"AAECA/8="`
		}
		return "[" + full(t.Elem(), name, depth) + "]"
	case reflect.Map:
		return `{"` + name + `Key":` + full(t.Elem(), name, depth) + "}"
	case reflect.Struct:
		return body(t, func(f reflect.StructField) string {
			if depth > deepest || (depth > 4 && strings.Contains(f.Type.String(), "JSONSchema")) {
				return ""
			}
			name, _ := tag(f)
			return full(f.Type, name, depth+1)
		})
	}
	return "-7"
}

func fillAll(out *[]vector) {
	one := func(api, kind, ours string) {
		gv, err := schema.ParseGroupVersion(api)
		check(err)
		t, ok := scheme.KnownTypes(gv)[kind]
		if !ok {
			check(fmt.Errorf("no %s in %s", kind, api))
		}
		text := fmt.Sprintf(`{"kind":%q,"apiVersion":%q,`, kind, api) + full(t, "", 0)[1:]
		var compact bytes.Buffer
		check(json.Compact(&compact, []byte(strings.Replace(text, ",}", "}", 1))))
		*out = append(*out, answer(ours+" full", ours, compact.String()))
	}
	for _, kind := range metaKinds {
		one("v1", kind, "meta.k8s.io/v1/"+kind)
	}
	for _, kind := range []string{"Table", "TableOptions", "PartialObjectMetadata", "PartialObjectMetadataList"} {
		one("meta.k8s.io/v1", kind, "meta.k8s.io/v1/"+kind)
	}
	for _, of := range []struct{ api, kinds string }{
		{"apiextensions.k8s.io/v1", "CustomResourceDefinition CustomResourceDefinitionList ConversionReview"},
		{"apiregistration.k8s.io/v1", "APIService APIServiceList"},
		{"admission.k8s.io/v1", "AdmissionReview"},
		{"apidiscovery.k8s.io/v2", "APIGroupDiscovery APIGroupDiscoveryList"},
		{"authentication.k8s.io/v1", "TokenRequest TokenReview SelfSubjectReview"},
		{"policy/v1", "Eviction"},
		{"autoscaling/v1", "Scale"},
		{"v1", "PodLogOptions PodExecOptions PodAttachOptions PodPortForwardOptions PodProxyOptions " +
			"NodeProxyOptions ServiceProxyOptions Binding PodList SecretList"},
	} {
		for _, kind := range strings.Fields(of.kinds) {
			one(of.api, kind, of.api+"/"+kind)
		}
	}
}
