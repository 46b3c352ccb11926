// Command go-lumber sends events with the client that is inside every Beat.
//
// Its one argument is a JSON object, see the struct order. It prints
// "acked N" after each acknowledged window, N being all events so far, and
// "lost REASON" when it has to reconnect. As a Beat does, it then sends every
// window that has no ack again, unchanged.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	client "github.com/elastic/go-lumber/client/v2"
)

const (
	shortestWait = 20 * time.Millisecond
	longestWait  = time.Second
)

type order struct {
	Address     string `json:"address"`
	Events      string `json:"events"`
	Window      int    `json:"window"`
	Compression int    `json:"compression"`
	Pipelining  int    `json:"pipelining"` // 0: the synchronous client
	Timeout     int    `json:"timeout_seconds"`
	CA          string `json:"ca"` // without it: no TLS
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

func main() {
	o := order{Timeout: 30}
	check(json.Unmarshal([]byte(os.Args[1]), &o))
	windows, err := read(o.Events, o.Window)
	check(err)
	wait := shortestWait
	acked := 0
	for len(windows) > 0 {
		done, err := session(o, windows, &acked)
		windows = windows[done:]
		if err == nil {
			continue
		}
		fmt.Println("lost", err)
		if wait *= 2; done > 0 || wait > longestWait {
			wait = shortestWait
		}
		time.Sleep(wait)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// read returns the lines of a file, cut into windows.
func read(path string, size int) ([][]interface{}, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var windows [][]interface{}
	var window []interface{}
	for _, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		if window = append(window, line); len(window) == size {
			windows, window = append(windows, window), nil
		}
	}
	if len(window) > 0 {
		windows = append(windows, window)
	}
	return windows, nil
}

// session sends windows over one connection and returns how many of them,
// from the first on, were acknowledged.
func session(o order, windows [][]interface{}, acked *int) (int, error) {
	conn, err := dial(o)
	if err != nil {
		return 0, err
	}
	options := []client.Option{
		client.CompressionLevel(o.Compression),
		client.Timeout(o.timeout()),
		// Events are encoded once, before they are queued.
		client.JSONEncoder(func(event interface{}) ([]byte, error) {
			return event.([]byte), nil
		}),
	}
	if o.Pipelining == 0 {
		return sendSync(conn, options, windows, acked)
	}
	return sendAsync(conn, o.Pipelining, options, windows, acked)
}

func (o order) timeout() time.Duration {
	return time.Duration(o.Timeout) * time.Second
}

func dial(o order) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: o.timeout()}
	if o.CA == "" {
		return dialer.Dial("tcp", o.Address)
	}
	authority, err := os.ReadFile(o.CA)
	check(err)
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(authority)
	if o.Certificate != "" {
		own, err := tls.LoadX509KeyPair(o.Certificate, o.Key)
		check(err)
		config.Certificates = []tls.Certificate{own}
	}
	return tls.DialWithDialer(dialer, "tcp", o.Address, config)
}

func sendSync(conn net.Conn, options []client.Option, windows [][]interface{}, acked *int) (int, error) {
	sender, err := client.NewSyncClientWithConn(conn, options...)
	check(err)
	defer sender.Close()
	for done, window := range windows {
		if _, err := sender.Send(window); err != nil {
			return done, err
		}
		report(acked, window)
	}
	return len(windows), nil
}

func sendAsync(conn net.Conn, pipelining int, options []client.Option, windows [][]interface{}, acked *int) (int, error) {
	sender, err := client.NewAsyncClientWithConn(conn, pipelining, options...)
	check(err)
	defer sender.Close()
	var answers sync.WaitGroup
	var failure error
	done := 0
	for _, window := range windows {
		window := window
		answers.Add(1)
		// Every Send leads to one call of this, in the order of the windows.
		err := sender.Send(func(_ uint32, err error) {
			defer answers.Done()
			if err == nil && failure == nil {
				done++
				report(acked, window)
			} else if failure == nil {
				failure = err
			}
		}, window)
		if err != nil {
			break
		}
	}
	answers.Wait()
	return done, failure
}

func report(acked *int, window []interface{}) {
	*acked += len(window)
	fmt.Println("acked", *acked)
}
