// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// usage stands above the list of flags.
const usage = `kinesisfake serves a stand-in for Amazon Kinesis Data Streams. Records are in memory, and gone when it ends.

  kinesisfake -stream events:4
  kinesisfake -stream events:4 -limits -latency 20ms -throttle 0.1

`

// announcement says where the server listens, and what clients need to get there. The first line is for programs too.
func announcement(url string, o options) string {
	var s strings.Builder
	fmt.Fprintf(&s, "kinesisfake listens on %s\n", url)
	fmt.Fprintf(&s, "For the AWS CLI, SDKs and the collector of this repository. Any credentials do:\n"+
		"  export AWS_ENDPOINT_URL_KINESIS=%s\n"+
		"  export AWS_REGION=%s AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any\n", url, o.config.Region)
	if !o.tls {
		s.WriteString("The collector also needs aws::insecure: true, because this is no https.\n")
	}
	if len(o.streams) == 0 {
		fmt.Fprintf(&s, "There is no stream yet: start with -stream name:shards, or run\n"+
			"  aws kinesis create-stream --stream-name events --shard-count 2\n")
	}
	return s.String()
}

// reachable is the address at which clients of this machine reach the server. The address of all interfaces is none of them.
func reachable(address net.Addr) string {
	if tcp, is := address.(*net.TCPAddr); is && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return address.String()
}

// warnOfAddress warns if other machines can reach the server.
func warnOfAddress(address net.Addr, stderr io.Writer) {
	if tcp, is := address.(*net.TCPAddr); is && !tcp.IP.IsLoopback() {
		fmt.Fprintf(stderr, "kinesisfake: warning: other machines may reach %s. Whoever does can read, write and delete everything: "+
			"no credentials are checked. Listen on 127.0.0.1, or in a container whose port is published on 127.0.0.1 only\n", address)
	}
}
