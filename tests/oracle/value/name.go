package main

import (
	"math/rand"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation"
)

// In the order of enum name_form.
var forms = []func(string) []string{
	validation.IsDNS1123Label,
	validation.IsDNS1123Subdomain,
	validation.IsDNS1123SubdomainWithUnderscore,
	validation.IsDNS1035Label,
	validation.IsWildcardDNS1123Subdomain,
	content.IsDNS1123Label,
	content.IsDNS1123Subdomain,
	content.IsDNS1123SubdomainCaseless,
	validation.IsQualifiedName,
	validation.IsValidLabelValue,
	content.IsPathSegmentName,
	content.IsPathSegmentPrefix,
	validation.IsConfigMapKey,
	validation.IsEnvVarName,
	validation.IsRelaxedEnvVarName,
	validation.IsValidPortName,
	validation.IsHTTPHeaderName,
	validation.IsCIdentifier,
	validation.IsValidPercent,
	content.IsDecimalInteger,
}

var oddNames = []string{"", "a", "A", "1", "-", ".", "..", "...", "..a", "_", "/", "a/", "/a", "a/b", "a/b/c", "a.b", "a..b", "a.", ".a", "-a", "a-", "a-b", "a_b", "_a", "a_", "A.b", "a.B",
	"_a._b", "a._", "*", "*.", "*.a", "*.a.b", "*.*.a", "a.*", "*a.b", "my-name", "example.com", "example.com/Name", "Example.com/name", "example.com/", "10%", "%", "a%b", "0%", "100%", "1.5%", "0", "-0", "-1", "01",
	"10", "--1", "1-", "http", "http-1", "a--b", "1-2", "12345", "abcdefghijklmno", "abcdefghijklmnop", "X-Header", "X_Header", "é", "a b", "a=b", "a\nb", "a\x00b", "a\n", "PATH", "my.env-name", "1abc", "a/b.c", "\xff",
	"a\x7fb", "a\tb", "kubernetes.io/metadata.name", "sha256:ABC@DEF"}

func names() {
	r := rand.New(rand.NewSource(5))
	inputs := append([]string{}, oddNames...)
	for _, n := range []int{15, 16, 62, 63, 64, 252, 253, 254, 300} {
		inputs = append(inputs, strings.Repeat("a", n), strings.Repeat("a", n-1)+"-", strings.Repeat("a.", n/2), strings.Repeat("a", n)+"/b", "b/"+strings.Repeat("a", n),
			strings.Repeat("é", n/2), strings.Repeat("a", n/2)+"."+strings.Repeat("a", n-n/2-1), strings.Repeat("A", n))
	}
	const letters = "aabcz019AZ-_./%=* é"
	for len(inputs) < 900 {
		var b strings.Builder
		for n := r.Intn(12); n >= 0; n-- {
			b.WriteByte(letters[r.Intn(len(letters))])
		}
		inputs = append(inputs, b.String())
	}
	t := newTable("name.tsv", "in", "form", "faults")
	defer t.close()
	for i, in := range inputs {
		for form, check := range forms {
			if i >= 200 && (i+form)%8 != 0 {
				continue
			}
			t.add(in, form, strings.Join(check(in), "|"))
		}
	}
}
