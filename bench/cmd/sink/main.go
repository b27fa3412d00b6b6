// Command sink serves a Kinesis that stores nothing, on loopback, until its standard input ends. It prints its URL.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/otel-kinesis/kinesiskplexporter/bench/internal/sink"
)

func main() {
	shards := flag.Int("shards", 512, "how many shards each stream has")
	delay := flag.Duration("delay", 0, "how long each PutRecords call takes besides")
	flag.Parse()
	if err := run(*shards, *delay, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sink:", err)
		os.Exit(1)
	}
}

func run(shards int, delay time.Duration, stdin io.Reader, stdout io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "http://%s\n", listener.Addr())
	server := sink.New(shards)
	server.Delay = delay
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	go func() {
		_, err := io.Copy(io.Discard, stdin)
		failed <- err
	}()
	return <-failed
}
