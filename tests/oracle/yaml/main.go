// Writes what sigs.k8s.io/yaml makes of YAML texts, and what it writes for JSON, to the folder named by
// the first argument: yaml_read.jsonl {in, json|error, strict} and yaml_write.jsonl {json, yaml}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

type reading struct {
	In     string `json:"in"`
	JSON   string `json:"json,omitempty"`
	Error  string `json:"error,omitempty"`
	Strict string `json:"strict,omitempty"`
}

type writing struct {
	JSON string `json:"json"`
	YAML string `json:"yaml"`
}

var scalars = []string{"", "~", "null", "Null", "NULL", "nUll", "y", "Y", "yes", "Yes", "YES", "yEs", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF", "true", "True", "TRUE", "tRue",
	"false", "False", "FALSE", "0", "-0", "+0", "1", "-1", "+1", "007", "08", "010", "0o10", "0O17", "0x1F", "0X1f", "-0x1f", "+0x1f", "0b101", "-0b11", "0B1", "0b2", "0x", "0xg", "1_000", "_1", "1_", "0_7", "0x_1",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "+18446744073709551615", "0xffffffffffffffff",
	"0x10000000000000000", "-0xffffffffffffffff", "1.0", "1.5", ".5", "-.5", "+.5", "5.", ".", "..", "-", "+", "1e3", "1E3", "1e+3", "1e-3", "1e", "e1", ".e1", "1.5e300", "1e400", "-1e400", "1e-400", "1.7976931348623157e308",
	"123456789012345678901234567890", "0.1", "0.30000000000000004", "1e21", "1e20", "1e-6", "1e-7", "1_0.5", "1.5_0", "._5", ".5_0", ".inf", "+.Inf", "-.INF", ".nan", ".NaN", ".iNf", "1:30", "190:20:30.15", "1:60",
	"2001-01-01", "2001-1-1", "2001-02-30", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10", "2001-12-14 21:59:43.10 -5", "2001-12-14T21:59:43Z", "2001-13-01", "20011-01-01", "<<", "=", "!", "&", "*a", "!!str 1",
	"!!int 1", "!!int a", "!!int '1'", "!!int 1.5", "!!float 1", "!!float 1.5", "!!float a", "!!bool yes", "!!bool 1", "!!null ''", "!!null a", "!!str", "!!binary aGVsbG8=", "!!binary '!'", "!!timestamp 2001-01-01", "!!timestamp a", "!foo 1", "! 1",
	"! a", "!!foo 1", "!<tag:yaml.org,2002:int> 3", "'1'", `"1"`, `"\u00e9\n\x41"`, "'it''s'", "a b", "a: b", "- a", "a #b", "a#b", "#a", "[]", "{}", "[1, yes, a]", "{a: 1, b: [x, {c: d}]}", "[a, ]", "{a}", "{a: }", "[", "{", "]", "}", "|", ">", "|\n a\n b\n",
	">\n a\n b\n\n c\n", "|-\n a\n", "|+\n a\n\n", "|2\n   a\n", "%", "@a", "`a", "é", "\u2028", "\t", "a\tb", "---", "--- a", "...", "? a", "? a\n: b", "<a>&b", "a,b", "-1-", "1.2.3", "1.2.3.4", "10.0.0.0/8", "0.0", "-0.0", "00", "0.", "1__0", "+", "++1", "12e03", "1e1_0",
	"0777", "0o8", "0o", "09.5", "1,000", "١", "NaN", "Infinity", "0x1p3", "0x1.8p1", "1d", "1f", "nan", "inf"}

var documents = []string{"", "\n", "# only\n", "---\n", "a: 1\na: 2\n", "a: 1\nb: 2\n'a': 3\n", "a:\n  b: 1\n  b: 2\n  c: 3\n  c: 4\n", "1: a\n", "1.5: a\n", "1e6: a\n", "1234567.5: a\n", "0.00001: b\n", "100000.0: a\n", "true: a\nyes2: b\n", "yes: a\n", "null: a\n",
	"~: a\n", "[a]: b\n", "{a: b}: c\n", "? [a]\n: b\n", ".inf: a\n", "2001-01-01: a\n", "0x10: a\n", "a: &x {b: 1}\nc: *x\n", "a: &x 1\nb: [*x, *x]\n", "a: *x\n", "a: &x [*x]\n", "&a [*a]", "a: &x {b: *x}\n", "b: &x {c: 1, d: 2}\na:\n  <<: *x\n  c: 3\n", "b: &x {c: 1, d: 2}\na:\n  c: 3\n  <<: *x\n",
	"a:\n  <<: [{b: 1}, {b: 2, c: 3}]\n", "a:\n  <<: 1\n", "a:\n  <<: [1]\n", "a:\n  <<: {b: 1}\n  b: 2\n", "x: &x [1]\na:\n  <<: *x\n", "a:\n  '<<': {b: 1}\n", "a:\n  !!merge <<: {b: 1}\n", "x: &x {k: 1}\ny: &y {k: 2, l: 3}\na:\n  <<: [*x, *y]\n", "&k a: 1\nb: *k\n*k : 2\n",
	"a: b: c\n", "a:\n\tb: 1\n", "a: 'b\n", "a: \"b\n", "- a\nb: c\n", "a: [1, 2\n", "a: {b: c\n", "a: %b\n", "a: @b\n", "a: |\n  text\n  more\nb: >-\n  folded\n  text\n", "a: !!set {b}\n", "---\na: 1\n---\nb: 2\n", "a: 1\n...\nb: 2\n", "%YAML 1.1\n---\na: 1\n", "%YAML 1.2\n---\na: 1\n", "%FOO bar\n---\na: 1\n", "\ufeffa: 1\n",
	"a: \"\\ud83d\\ude00\"\n", "a: \"\\q\"\n", "a: \"\\xff\"\n", "a: \x01\n", "a:\n- b\n- c\n", "a:\n  - b\n -c\n", "- - a\n  - b\n- c\n", "a : b\n", "a:b\n", "\"a\":b\n", "{\"a\":1}\n", "{\"a\":1,}\n", "[1,2,3]\n", "a: 'x' y\n", "a: &b\n", "a: &b &c d\n", "a: !!int\n", "key: value # comment\n#c\nother: x\n",
	"apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels: {app: web, on: off}\nspec:\n  containers:\n  - name: c\n    image: \"nginx:1.25\"\n    ports:\n    - containerPort: 80\n    args: [--v=2, 'yes']\n    command:\n    - sh\n    - -c\n    - |\n      echo hello\n      sleep 1\n", strings.Repeat("- ", 50) + "a\n",
	strings.Repeat("[", 40) + strings.Repeat("]", 40) + "\n", "a: " + strings.Repeat("x", 2000) + "\n", "? " + strings.Repeat("k", 1100) + "\n: v\n", strings.Repeat("k", 1100) + ": v\n"}

// laughs nests n lists of ten aliases each.
func laughs(n int) string {
	s := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < n; i++ {
		alias := fmt.Sprintf("*a%d", i-1)
		s += fmt.Sprintf("a%d: &a%d [%s%s]\n", i, i, strings.Repeat(alias+", ", 9), alias)
	}
	return s
}

func mangle(r *rand.Rand, s string) string {
	const with = " \n-:?[]{},&*!|>'\"#%a1~\t"
	at, c := r.Intn(len(s)), string(with[r.Intn(len(with))])
	switch r.Intn(3) {
	case 0:
		return s[:at] + c + s[at+1:]
	case 1:
		return s[:at] + c + s[at:]
	}
	return s[:at] + s[at+1:]
}

func generate(r *rand.Rand, depth int, indent string) string {
	scalar := func() string {
		for {
			s := scalars[r.Intn(len(scalars))]
			if !strings.ContainsAny(s, "\n[{]}%@`&*!|>#?") && s != "---" && s != "..." && s != "\t" {
				return s
			}
		}
	}
	var b strings.Builder
	list := r.Intn(3) == 0
	for n := 1 + r.Intn(4); n > 0; n-- {
		if list {
			b.WriteString(indent + "-")
		} else {
			b.WriteString(indent + fmt.Sprintf("k%d:", r.Intn(8)))
		}
		if depth > 0 && r.Intn(2) == 0 {
			b.WriteString("\n" + generate(r, depth-1, indent+"  "))
		} else {
			b.WriteString(" " + scalar() + "\n")
		}
	}
	return b.String()
}

func read(in string) reading {
	out := reading{In: in}
	text, err := yaml.YAMLToJSON([]byte(in))
	if err != nil {
		out.Error = err.Error()
		for _, goValue := range []string{"yaml: invalid map key", "unsupported map key of type:"} {
			if strings.HasPrefix(out.Error, goValue) {
				out.Error = goValue // what follows is the key as Go's %#v shows it
			}
		}
		return out
	}
	out.JSON = string(text)
	if _, err := yaml.YAMLToJSONStrict([]byte(in)); err != nil {
		out.Strict = err.Error()
	}
	return out
}

var words = []string{"", "a", "name", "true", "yes", "null", "~", "1", "1.5", "0x1F", "1e3", "2001-01-01", "2024-05-06T07:08:09Z", "a b", " a", "a ", "a: b", "a:", "a #b", "#a", "- a", "-", "-a", "?", "? a", "!a", "&a", "*a", "%a", "@a", "`a", "[a", "]", "{a}", "}", "a,b", "|", ">", "'a'", "\"a\"", "it's", "a\\b", "a\nb", "a\n", "\na", "a\n\nb\n",
	" a\nb", "a\n b\n", "a \nb", "a\tb", "\ta", "a\n\tb", "é", "日本語", "\x01", "\x7f", "=", "<<", "1:30", "12:34:56", "0o17", "017", "1_000", ".5", ".inf", "---", "...", "--- a", "nginx:1.25", "http://a/b?c=d&e=f#g", "100m", "128Mi", "10.0.0.1", "0", "-1", "+1",
	"--v=2", "key=value", "<a>", "$(X)", "*.example.com", "a" + strings.Repeat(" word", 40), strings.Repeat("x", 200), "line one " + strings.Repeat("long ", 30) + "\nline two", "{\"json\":true}", "a: |\n  b", "\r", "a\r\nb", "on", "off", "y", "N", "No", "\"", "'", "\\", ":", ",", "a:b", "::", "a ", "\n", "\n\n", " ", "  "}

var keys = []string{"a", "b", "c", "apiVersion", "kind", "metadata", "spec", "item1", "item2", "item10", "item02", "1", "2", "10", "01", "a-b", "a.b", "a_b", "a/b", "A", "Z", "z", "", "yes", "key with blanks", "k:", "é", "x1y2", "x1y10", "x01y2", "100", "1000", "0", "00", "10a", "1a"}

func value(r *rand.Rand, depth int) any {
	switch n := r.Intn(10); {
	case n < 3 && depth > 0:
		m := map[string]any{}
		for n := r.Intn(5); n > 0; n-- {
			m[keys[r.Intn(len(keys))]] = value(r, depth-1)
		}
		return m
	case n < 5 && depth > 0:
		l := []any{}
		for n := r.Intn(4); n > 0; n-- {
			l = append(l, value(r, depth-1))
		}
		return l
	case n == 5:
		return []any{nil, true, false}[r.Intn(3)]
	case n == 6:
		return []any{0, 1, -1, 80, int64(9223372036854775807), uint64(18446744073709551615), 1.5, 0.1, 1e21, 1e-7, 1234567.5, 100000.5, 1e100, -2.5, 3.0, 0.0001, 0.00001}[r.Intn(17)]
	}
	return words[r.Intn(len(words))]
}

func create(name string) (*json.Encoder, func()) {
	file, err := os.Create(filepath.Join(os.Args[1], name))
	if err != nil {
		panic(err)
	}
	out := bufio.NewWriter(file)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder, func() {
		if err := out.Flush(); err != nil {
			panic(err)
		}
		file.Close()
	}
}

func main() {
	r := rand.New(rand.NewSource(8))
	inputs := append([]string{}, documents...)
	inputs = append(inputs, laughs(3), laughs(4), laughs(5), laughs(9))
	for _, s := range scalars {
		inputs = append(inputs, s, "a: "+s+"\n", "- "+s+"\n")
	}
	for n := 0; n < 1500; n++ {
		text := generate(r, 3, "")
		if r.Intn(3) == 0 {
			text = mangle(r, text)
		}
		inputs = append(inputs, text)
	}
	encoder, done := create("yaml_read.jsonl")
	for _, in := range inputs {
		if !utf8.ValidString(in) {
			continue
		}
		if err := encoder.Encode(read(in)); err != nil {
			panic(err)
		}
	}
	done()
	encoder, done = create("yaml_write.jsonl")
	put := func(v any) {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		out, err := yaml.JSONToYAML(text)
		if err != nil {
			return // go-yaml does not read all JSON
		}
		if err := encoder.Encode(writing{string(text), string(out)}); err != nil {
			panic(err)
		}
	}
	for _, w := range words {
		put(w)
		put(map[string]any{"k": w, w: "v"})
		put([]any{w, map[string]any{"a": w}})
		put(map[string]any{"a": map[string]any{"b": w, "c": []any{w, []any{w}}}})
	}
	for n := 0; n < 1000; n++ {
		put(value(r, 4))
	}
	done()
}
