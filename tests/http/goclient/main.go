// An HTTP client of other people, Go's net/http, against a server of lib/http.
//
//	goclient URL CA-FILE 1|2
//
// Ends with status 0 and prints "ok" if everything was as expected.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

var base string

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func newClient(caFile string, http2 bool) *http.Client {
	pem, err := os.ReadFile(caFile)
	check("reading the CA", err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: http2}
	if !http2 {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func digest(c *http.Client, size int) error {
	body := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	response, err := c.Post(base+"/digest", "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	have, err := io.ReadAll(response.Body)
	want := fmt.Sprintf("%d %x \n", len(body), sha256.Sum256(body))
	if err == nil && string(have) != want {
		err = fmt.Errorf("have %q, want %q", have, want)
	}
	return err
}

// Writes and reads in turns, over one request: a stream both ways.
func converse(c *http.Client) error {
	reader, writer := io.Pipe()
	request, _ := http.NewRequest("POST", base+"/echo", reader)
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	for i := 0; i < 100; i++ {
		said := fmt.Sprintf("line %d\n", i)
		if _, err := io.WriteString(writer, said); err != nil {
			return err
		}
		if heard, err := lines.ReadString('\n'); err != nil || heard != said {
			return fmt.Errorf("said %q, heard %q, %v", said, heard, err)
		}
	}
	writer.Close()
	if _, err := io.ReadAll(lines); err != nil {
		return err
	}
	if response.Trailer.Get("X-Echo") != "done" {
		return fmt.Errorf("trailers are %v", response.Trailer)
	}
	return nil
}

func many(c *http.Client, size int) error {
	var wait sync.WaitGroup
	failures := make(chan error, 300)
	for i := 0; i < 300; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if err := digest(c, size); err != nil {
				failures <- err
			}
		}()
	}
	wait.Wait()
	close(failures)
	return <-failures
}

func early(c *http.Client) error {
	response, err := c.Post(base+"/digest?limit=10", "text/plain", strings.NewReader(strings.Repeat("x", 8<<20)))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != 413 || !strings.Contains(string(text), "larger than 10 bytes")) {
		err = fmt.Errorf("status %d, %q", response.StatusCode, text)
	}
	return err
}

func cancelled(c *http.Client) error {
	ctx, cancel := context.WithCancel(context.Background())
	request, _ := http.NewRequestWithContext(ctx, "GET", base+"/hang", nil)
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	cancel()
	if err != nil || line != "hanging\n" {
		return fmt.Errorf("%q, %v", line, err)
	}
	return digest(c, 16)
}

func protocol(c *http.Client, want string) error {
	response, err := c.Get(base + "/hello")
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.Proto != want {
		return fmt.Errorf("%s instead of %s", response.Proto, want)
	}
	return nil
}

func main() {
	base = os.Args[1]
	http2 := os.Args[3] == "2"
	want := "HTTP/1.1"
	if http2 {
		want = "HTTP/2.0"
	}
	c := newClient(os.Args[2], http2)
	check("protocol", protocol(c, want))
	check("small body", digest(c, 16))
	check("body of 8 MiB", digest(c, 8<<20))
	check("300 at once", many(c, 64<<10))
	check("cancelled", cancelled(c))
	check("early answer", early(c))
	check("after the early answer", digest(c, 1<<20))
	if http2 {
		check("conversation", converse(c))
	}
	fmt.Println("ok")
}
