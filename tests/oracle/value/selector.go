package main

import (
	"math/rand"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var keys = []string{"a", "b", "app", "tier", "x", "example.com/app", "in", "notin", "kubernetes.io/os", "n"}
var values = []string{"", "a", "b", "web", "1", "2", "10", "-5", "in", "notin", "linux", "A_b.c", "99999999999999999999"}

var oddSelectors = []string{"", " ", ",", "a", "!a", "! a", "!!a", "a,", ",a", "a,,b", "a=", "a==", "a!=", "a=b", "a==b", "a!=b", "a = b", "a=b,c", "a=b c", "a in", "a in ()", "a in (", "a in (b", "a in (b,)",
	"a in (,b)", "a in (,)", "a in (,,)", "a in (b,,c)", "a in (b c)", "a in b", "a notin (b)", "a notin(b)", "a in(b)", "ain(b)", "a not in (b)", "a>1", "a<1", "a>b", "a>", "a > 5,a<10", "a>1,2", "a>=1", "a=<1", "a=>1", "a=!b",
	"a===b", "!a=b", "!a in (b)", "a!b", "a!", "in in (in)", "notin notin (notin)", "in=in", "in", "!in", "a in (in,notin)", "a in (=)", "a=(", "a=)", "(a)", "a(b)", "=", "=b", "!=", "!", "a b", "a\tin\n(b)\r", "a=b\x00c", "\x00", "a\x00,b",
	"a/b/c", "/a", "a/", "Example.com/a=b", "a=-b", "a=b-", "a=é", "é=a", "a=" + strings.Repeat("b", 64), strings.Repeat("a", 64), "a in (" + strings.Repeat("b", 64) + ",c)", "a in (-b,c-)", "-a=b", "-a=-b", "a=b,a=c", "b=1,a=2", "z,y,x", "a in (c,b,a,b)", "!z,a,!b",
	"x in (foo,,baz),y,z notin ()", "a=b,", "a=b,=", "a=b,!", "a=b,!c,", "a = ", "a in (b),", "a in (b) c", "a in (b))", "a>99999999999999999999", "a>+5", "a>-5", "a>05", "a=b=c", "a=b!=c", "a,b in (c),!d,e!=f,g>1,h<2,i==j", "<", ">", "a<>b", "a><1"}

func labelSelector(r *rand.Rand) string {
	var terms []string
	for n := r.Intn(4); n >= 0; n-- {
		key := keys[r.Intn(len(keys))]
		one := func() string { return values[r.Intn(len(values))] }
		many := func() string {
			var list []string
			for n := r.Intn(4); n >= 0; n-- {
				list = append(list, one())
			}
			return strings.Join(list, []string{",", ", "}[r.Intn(2)])
		}
		terms = append(terms, []func() string{
			func() string { return key },
			func() string { return "!" + key },
			func() string { return key + "=" + one() },
			func() string { return key + " == " + one() },
			func() string { return key + "!=" + one() },
			func() string { return key + " in (" + many() + ")" },
			func() string { return key + " notin (" + many() + ")" },
			func() string { return key + ">" + one() },
			func() string { return key + " < " + one() },
		}[r.Intn(9)]())
	}
	return strings.Join(terms, ",")
}

func set(r *rand.Rand, from []string) map[string]string {
	m := map[string]string{}
	for n := r.Intn(5); n > 0; n-- {
		m[from[r.Intn(len(from))]] = values[r.Intn(len(values))]
	}
	return m
}

// "key=value;key=value", sorted by key.
func join(m map[string]string) string {
	var pairs []string
	for key, value := range m {
		pairs = append(pairs, key+"="+value)
	}
	sort.Strings(pairs)
	return strings.Join(pairs, ";")
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// Requirements of one key come in an order that upstream leaves to chance (sort.Sort), for more than twelve.
func labelSelectors() {
	r := rand.New(rand.NewSource(6))
	inputs := append([]string{}, oddSelectors...)
	for len(inputs) < 3500 {
		text := labelSelector(r)
		if r.Intn(4) == 0 {
			text = mangle(r, text, "=!<>(), abin-/.")
		}
		inputs = append(inputs, text)
	}
	t := newTable("selector.tsv", "in", "path", "error", "text", "labels", "matches")
	defer t.close()
	for i, in := range inputs {
		path := []string{"", "metadata.labelSelector"}[i%2]
		var options []field.PathOption
		if path != "" {
			options = append(options, field.WithPath(field.NewPath(path)))
		}
		s, err := labels.Parse(in, options...)
		if err != nil {
			t.add(in, path, err, "", "", "")
			continue
		}
		var sets []string
		matches := ""
		for n := 0; n < 4; n++ {
			m := set(r, keys)
			sets = append(sets, join(m))
			matches += bit(s.Matches(labels.Set(m)))
		}
		t.add(in, path, "", s.String(), strings.Join(sets, "|"), matches)
	}
}

var oddFields = []string{"", ",", "a", "a=", "a=b", "a==b", "a!=b", "a=b,c=d", "=b", "!=b", "a=b=c", `a=b\=c`, `a=b\,c`, `a=b\\c`, `a=b\c`, `a=b\`, `a\=b`, `a\,b=c`, "a=b,,c=d", "a=é", `a=\é`, "a!b", "a=b,c", "b=1,a=2", "a===b", "a!==b", "a==b=c",
	"a=b,a=c", "metadata.name=x", "metadata.name=x,metadata.namespace!=y", `a=\\\,\=`, " a = b ", "a=\xff", "a=\\\xff", "\xff=a", "a=b\xff\\,c", "é=b"}

func fieldSelectors() {
	r := rand.New(rand.NewSource(7))
	names := []string{"metadata.name", "metadata.namespace", "spec.nodeName", "status.phase", "type"}
	inputs := append([]string{}, oddFields...)
	for len(inputs) < 1500 {
		var terms []string
		for n := r.Intn(3); n >= 0; n-- {
			value := values[r.Intn(len(values))]
			if r.Intn(4) == 0 {
				value = fields.EscapeValue(mangle(r, value, `\,=`))
			}
			terms = append(terms, names[r.Intn(len(names))]+[]string{"=", "==", "!="}[r.Intn(3)]+value)
		}
		text := strings.Join(terms, ",")
		if r.Intn(4) == 0 {
			text = mangle(r, text, `=!,\ a`)
		}
		inputs = append(inputs, text)
	}
	t := newTable("field_selector.tsv", "in", "error", "text", "fields", "matches")
	defer t.close()
	for _, in := range inputs {
		s, err := fields.ParseSelector(in)
		if err != nil {
			t.add(in, err, "", "", "")
			continue
		}
		var sets []string
		matches := ""
		for n := 0; n < 4; n++ {
			m := set(r, names)
			sets = append(sets, join(m))
			matches += bit(s.Matches(fields.Set(m)))
		}
		t.add(in, "", s.String(), strings.Join(sets, "|"), matches)
	}
}
