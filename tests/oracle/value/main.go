// Writes what apimachinery makes of generated quantities, times, durations, int-or-strings, names and
// selectors to the folder named by the first argument, one table a kind: tab-separated, the first line
// naming the columns, with \t \n \r \\ and \xNN for what would not show.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

type table struct {
	file    *os.File
	out     *bufio.Writer
	columns int
}

func newTable(name string, columns ...string) *table {
	file, err := os.Create(filepath.Join(os.Args[1], name))
	if err != nil {
		panic(err)
	}
	t := &table{file: file, out: bufio.NewWriter(file), columns: len(columns)}
	fmt.Fprintln(t.out, strings.Join(columns, "\t"))
	return t
}

func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\\':
			b.WriteString(`\\`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (t *table) add(cells ...any) {
	if len(cells) != t.columns {
		panic("a row of another length")
	}
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = escape(fmt.Sprint(cell))
	}
	fmt.Fprintln(t.out, strings.Join(texts, "\t"))
}

func (t *table) close() {
	if err := t.out.Flush(); err != nil {
		panic(err)
	}
	if err := t.file.Close(); err != nil {
		panic(err)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// mangle puts `with` in place of a byte, in front of it, or takes it away.
func mangle(r *rand.Rand, s, with string) string {
	if s == "" {
		return string(with[r.Intn(len(with))])
	}
	at, c := r.Intn(len(s)), string(with[r.Intn(len(with))])
	switch r.Intn(3) {
	case 0:
		return s[:at] + c + s[at+1:]
	case 1:
		return s[:at] + c + s[at:]
	}
	return s[:at] + s[at+1:]
}

func number(value int64) string {
	return strconv.FormatInt(value, 10)
}

func main() {
	quantities()
	times()
	durations()
	intOrStrings()
	names()
	labelSelectors()
	fieldSelectors()
}
