// Command sink serves a Kinesis that stores nothing, on loopback, until its standard input ends. It prints its URL.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/sink"
)

func main() {
	shards := flag.Int("shards", 512, "how many shards each stream has")
	flag.Parse()
	if err := run(*shards, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sink:", err)
		os.Exit(1)
	}
}

func run(shards int, stdin io.Reader, stdout io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "http://%s\n", listener.Addr())
	failed := make(chan error, 1)
	go func() { failed <- sink.New(shards).Serve(listener) }()
	go func() {
		_, err := io.Copy(io.Discard, stdin)
		failed <- err
	}()
	return <-failed
}
