package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var oddTimes = []string{"", "null", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
	"2020-02-29T00:00:00Z", "2021-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2020-13-01T00:00:00Z", "2020-00-01T00:00:00Z",
	"2020-01-32T00:00:00Z", "2020-01-00T00:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T23:60:00Z", "2020-01-01T23:59:60Z", "2020-01-01T5:00:00Z", "2020-1-01T00:00:00Z",
	"2020-01-1T00:00:00Z", "2020-01-01T00:0:00Z", "2020-01-01T00:00:0Z", "2020-01-01 00:00:00Z", "2020-01-01t00:00:00z", "2020-01-01T00:00:00", "2020-01-01T00:00:00+00:00",
	"2020-01-01T00:00:00+24:00", "2020-01-01T00:00:00+24:60", "2020-01-01T00:00:00+25:00", "2020-01-01T00:00:00+00:61", "2020-01-01T00:00:00-07:30", "2020-01-01T00:00:00+0700",
	"2020-01-01T00:00:00+7:00", "2020-01-01T00:00:00*07:00", "2020-01-01T00:00:00.Z", "2020-01-01T00:00:00.5Z", "2020-01-01T00:00:00,5Z", "2020-01-01T00:00:00.123456789Z",
	"2020-01-01T00:00:00.1234567891234Z", "2020-01-01T00:00:00.999999999Z", "2020-01-01T00:00:00.123456Z", "2020-01-01T00:00:00.12345Z", "2020-01-01T00:00:00.1234567Z",
	"2020-01-01T00:00:00,123456Z", "2020-01-01T00:00:00.123456+01:00", "2020-01-01T00:00:00.12345aZ", "2020-01-01T00:00:00Zx", "2020-01-01T00:00:00Z ", " 2020-01-01T00:00:00Z",
	"20200-01-01T00:00:00Z", "-020-01-01T00:00:00Z", "abcd", "2020", "2020-", "2020-01-01", "2020-01-01T", "2020-01-01T00", "2020-01-01T00:00:00é", "2020-01-01T00:00:00\"", "é",
	"2020-01-01T00:00:00.+5Z", "2020-01-01T00:00:00.-12345Z", "2020-01-01T00:00:00.+12345Z", "2020-01-01T1:02:03Z", "2020-01-01T1:02:03.123456Z", "2020-01-01T99:00:00Z", "2020-02-30T00:00:00Z",
	"2020-02-30T00:00:00+01:00", "\xff", "2020-01-01T00:00:00\xffZ", "2020-01-01T00:00:00\tZ"}

func timeText(r *rand.Rand) string {
	s := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d", r.Intn(10000), 1+r.Intn(12), 1+r.Intn(31), r.Intn(24), r.Intn(60), r.Intn(60))
	switch r.Intn(4) {
	case 0:
		s += "." + digits(r, 1+r.Intn(10))
	case 1, 2:
		s += fmt.Sprintf(".%06d", r.Intn(1000000))
	}
	if r.Intn(2) == 0 {
		return s + "Z"
	}
	return s + fmt.Sprintf("%c%02d:%02d", "+-"[r.Intn(2)], r.Intn(15), r.Intn(60))
}

func bare(data []byte, err error) string {
	if err != nil {
		panic(err)
	}
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		panic(err)
	}
	return s
}

func times() {
	r := rand.New(rand.NewSource(2))
	inputs := append([]string{}, oddTimes...)
	for len(inputs) < 2000 {
		text := timeText(r)
		if r.Intn(3) == 0 {
			text = mangle(r, text, "0123456789T:Z+-., ")
		}
		inputs = append(inputs, text)
	}
	t := newTable("time.tsv", "in", "error", "text", "seconds", "nanos", "micro error", "micro text", "micro seconds", "micro nanos")
	defer t.close()
	for _, in := range inputs {
		cells := []any{in}
		plain, err := time.Parse(time.RFC3339, in)
		if err == nil {
			cells = append(cells, "", bare(metav1.Time{Time: plain}.MarshalJSON()), plain.Unix(), plain.Nanosecond())
		} else {
			cells = append(cells, err, "", "", "")
		}
		micro, err := time.Parse(metav1.RFC3339Micro, in)
		if err == nil {
			cells = append(cells, "", bare(metav1.MicroTime{Time: micro}.MarshalJSON()), micro.Unix(), micro.Nanosecond())
		} else {
			cells = append(cells, err, "", "", "")
		}
		t.add(cells...)
	}
}

var oddDurations = []string{"", "0", "-0", "+0", "1", "s", ".s", "-.s", "1.s", ".5s", "1h", "1h30m", "1.5h", "-1.5h", "+5m", "1d", "1h1", "1us", "1µs", "1μs", "1ns", "0.5ns", "1.9ns",
	"9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns", "-9223372036854775809ns", "2562047h47m16.854775807s", "2562047h47m16.854775808s", "2562048h",
	"0.100000000000000000000h", "0.9223372036854775807h", "0.3333333333333333333h", "9007199254.740993s", "1h 2m", " 1h", "1h ", "1H", "1m1m", "1.1.1s", "--1s", "é", "1é", "1\"s",
	"999999h", "1000000000000000000000s", "0.0000000001s", "1e3s", "30s", "300ms", "1h0m0.001s", "\xff", "5\xff"}

func durations() {
	r := rand.New(rand.NewSource(3))
	inputs := append([]string{}, oddDurations...)
	units := []string{"ns", "us", "µs", "ms", "s", "m", "h"}
	for len(inputs) < 1500 {
		text := []string{"", "", "", "-", "+"}[r.Intn(5)]
		for i := r.Intn(3); i >= 0; i-- {
			text += digits(r, 1+r.Intn(5))
			if r.Intn(3) == 0 {
				text += "." + digits(r, r.Intn(12))
			}
			text += units[r.Intn(len(units))]
		}
		if r.Intn(5) == 0 {
			text = mangle(r, text, "0123456789.+-hmsnu ")
		}
		inputs = append(inputs, text)
	}
	t := newTable("duration.tsv", "in", "error", "ns", "text")
	defer t.close()
	for _, in := range inputs {
		d, err := time.ParseDuration(in)
		if err != nil {
			t.add(in, err, "", "")
		} else {
			t.add(in, "", d.Nanoseconds(), d.String())
		}
	}
}

func intOrStrings() {
	r := rand.New(rand.NewSource(4))
	inputs := []string{"", "0", "-0", "+5", "25%", "100%", "0%", "-25%", "%", "%%", "5 %", "1.5%", "http", "80", "2147483647", "2147483648", "-2147483648", "-2147483649", "1e3",
		"25%%", "9223372036854775807%", "9223372036854775808%", "0x10", "1_0", "+5%", "a\"b%", "é%", "\xff%", "a\\b%", "a\nb%", "a\x01b%", "\u2028%", "\U0001f600%"}
	for len(inputs) < 700 {
		text := number(int64(r.Intn(200)))
		if r.Intn(4) > 0 {
			text += "%"
		}
		if r.Intn(5) == 0 {
			text = mangle(r, text, "0123456789%-+a ")
		}
		inputs = append(inputs, text)
	}
	t := newTable("int_or_string.tsv", "in", "text", "number", "total", "error", "down", "up")
	defer t.close()
	for _, in := range inputs {
		v := intstr.Parse(in)
		text := 0
		if v.Type == intstr.String {
			text = 1
		}
		total := r.Intn(1000)
		down, err := intstr.GetScaledValueFromIntOrPercent(&v, total, false)
		up, _ := intstr.GetScaledValueFromIntOrPercent(&v, total, true)
		if in == "9223372036854775807%" {
			continue // Go's conversion of a float beyond int64 is the machine's own
		}
		t.add(in, text, v.IntVal, total, message(err), down, up)
	}
}
