package main

// Objects with some fields set to what is easily got wrong: texts with escapes, numbers at their bounds,
// quantities and times that are not canonical, maps out of order. Nothing that upstream itself writes as
// null and then reads as unset.

import (
	"fmt"
	"math/rand"
	"reflect"
	"strings"
)

var pools = map[string][]string{
	"string":  {`""`, `"a"`, `"<&>\"\\\/\u2028\u00e9é\ud83d\ude00\n\u0001"`, `"long ` + strings.Repeat("x", 130) + `"`, `"\u0000"`},
	"int32":   {"0", "1", "-1", "2147483647", "-2147483648", "-0"},
	"int64":   {"0", "9223372036854775807", "-9223372036854775808", "128", "-1"},
	"float64": {"0", "0.1", "-2.5e-7", "1e21", "123456789012345680000", "5e-324", "1E3", "-0", "100"},
	"resource.Quantity": {`"1000m"`, `"0.5"`, `"1.5Gi"`, `1`, `0.25`, `"1e3"`, `"12E"`, `"100k"`, `" 7 "`, `"1024Ki"`,
		`"0.0000000001"`, `"-3"`, `"123456789012345678901"`},
	"v1.Time": {`"2020-02-29T23:59:59Z"`, `"2021-01-01T00:00:00+02:00"`, `"2022-03-04T05:06:07.891Z"`, "null",
		`"9999-12-31T23:59:59Z"`, `"1969-12-31T23:59:59Z"`},
	"v1.MicroTime":         {`"2020-02-29T23:59:59.000001Z"`, `"2021-01-01T00:00:00.123456-07:00"`, "null"},
	"v1.Duration":          {`"1h2m3s"`, `"300ms"`, `"-1.5h"`, `"0"`},
	"intstr.IntOrString":   {"0", "8080", `"http"`, `"25%"`, `""`, "-1", "null"},
	"runtime.RawExtension": {`{"b":1,"a":[1.50,"\u003c",null,{"x":{}}]}`, "null", `"text"`, "[]", "1e5"},
	"v1.FieldsV1":          {`{"f:a":{},"f:b":{"k:{\"n\":\"x\"}":{".":{}}}}`, "null"},
	"v1.JSON":              {`{"b":1,"a":2}`, "null", "true", `"x"`, "1.0"},
	"interface {}":         {`"x"`, "5", "true", "null"},
}

func pick(r *rand.Rand, name string) string {
	pool := pools[name]
	return pool[r.Intn(len(pool))]
}

func random(r *rand.Rand, t reflect.Type, depth int) string {
	if _, ok := pools[t.String()]; ok {
		return pick(r, t.String())
	}
	switch t.String() {
	case "v1.JSONSchemaPropsOrBool":
		return []string{"true", "false", `{"type":"x"}`}[r.Intn(3)]
	case "v1.JSONSchemaPropsOrArray":
		return []string{`{"type":"x"}`, `[{"type":"x"},{}]`}[r.Intn(2)]
	case "v1.JSONSchemaPropsOrStringArray":
		return []string{`{"type":"x"}`, `["a",""]`}[r.Intn(2)]
	}
	switch t.Kind() {
	case reflect.Pointer:
		if r.Intn(8) == 0 {
			return "null"
		}
		return random(r, t.Elem(), depth)
	case reflect.Bool:
		return []string{"true", "false"}[r.Intn(2)]
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return []string{`""`, `"AA=="`, `"//79"`, "null", `"AAEC\nAwQF"`}[r.Intn(5)]
		}
		var parts []string
		for n := r.Intn(3); n > 0; n-- {
			parts = append(parts, random(r, t.Elem(), depth+1))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case reflect.Map:
		var parts []string
		for _, key := range []string{"z", `é\u0000`, "a", "B"}[:r.Intn(5)] {
			parts = append(parts, `"`+key+`":`+random(r, t.Elem(), depth+1))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case reflect.Struct:
		return body(t, func(f reflect.StructField) string {
			if depth > 7 || r.Intn(depth+2) != 0 {
				return ""
			}
			return random(r, f.Type, depth+1)
		})
	}
	return pick(r, t.Kind().String())
}

func randomAll(order []reflect.Type, found map[reflect.Type]place, out *[]vector) {
	r := rand.New(rand.NewSource(1))
	for bytes, i := 0, 0; bytes < 250000; i++ {
		t := order[r.Intn(len(order))]
		p := found[t]
		v := answer(fmt.Sprintf("%s %s random %d", p.kind, t, i), p.kind, p.document(random(r, t, 0)))
		*out = append(*out, v)
		bytes += len(v.In) + len(v.Out) + len(v.Proto)*4/3 + len(v.Back) + 150
	}
}
