// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// An Attempt keeps this many bytes of the beginning and of the end of a long text, with an ellipsis between them. The beginning
// says what failed, the end why.
const (
	messageHead = 256
	messageTail = 1 << 10
	ellipsis    = "…"
	maxMessage  = messageHead + len(ellipsis) + messageTail
)

// textOf returns what an error says, without what the SDK puts before it: the operation, the number of attempts, empty ids.
// The cause stands at the end.
func textOf(err error) string { return messageOf(withoutSDK(err.Error())) }

// messageOf returns a message without secrets and not longer than an Attempt keeps. It copies what it keeps of a longer text, so
// that a Result does not keep a whole answer in memory.
func messageOf(message string) string {
	message = strings.ToValidUTF8(masked(message), "") // a service may send any bytes
	if len(message) <= maxMessage {
		return message
	}
	head, tail := message[:messageHead], message[len(message)-messageTail:]
	return strings.ToValidUTF8(head, "") + ellipsis + strings.ToValidUTF8(tail, "") // the cuts may be inside characters
}

// withoutSDK returns a text of the SDK without what says nothing, or is told elsewhere.
func withoutSDK(text string) string {
	for {
		before := text
		if rest, ok := strings.CutPrefix(text, "operation error Kinesis: "); ok {
			_, text, _ = strings.Cut(rest, ", ")
		}
		if rest, ok := strings.CutPrefix(text, "exceeded maximum number of attempts, "); ok {
			_, text, _ = strings.Cut(rest, ", ")
		}
		if rest, ok := strings.CutPrefix(text, "https response error StatusCode: "); ok {
			_, rest, _ = strings.Cut(rest, ", RequestID: ")
			_, text, _ = strings.Cut(rest, ", ")
		}
		for _, prefix := range []string{"request send failed, ", "get identity: ", "get credentials: "} {
			text = strings.TrimPrefix(text, prefix)
		}
		if text == before {
			return text
		}
	}
}

// secretNames are the names, in lower case, of what must never be told, as they stand before a value in texts of services and
// proxies.
var secretNames = []string{
	"security-token", "sessiontoken", "session_token", "secretaccesskey", "secret_access_key", "credential", "signature",
	"authorization",
}

// masked returns a text with stars in place of the values of secrets. An answer to a wrong signature may show the session token.
func masked(text string) string {
	if !strings.ContainsAny(text, "=:>") {
		return text // without these, no value has a name before it
	}
	lower := lowerASCII(text)
	var out strings.Builder
	from := 0
	for {
		at := afterSecretName(lower, from)
		if at < 0 {
			break
		}
		start := at + valueStart(lower[at:])
		end := start + valueLength(lower[start:])
		out.WriteString(text[from:start])
		if start > at && end > start {
			out.WriteString("***")
		} else {
			out.WriteString(text[start:end])
		}
		from = end
	}
	if from == 0 {
		return text
	}
	return out.String() + text[from:]
}

// afterSecretName returns where the first name of a secret ends. It searches a text in lower case from a place on, and returns -1
// if there is no such name.
func afterSecretName(lower string, from int) int {
	first, end := -1, -1
	for _, name := range secretNames {
		if i := strings.Index(lower[from:], name); i >= 0 && (first < 0 || i < first) {
			first, end = i, from+i+len(name)
		}
	}
	return end
}

// valueStart returns where the value of a name begins in the text behind the name. It returns 0 if no value follows.
func valueStart(text string) int {
	rest := strings.TrimLeft(text, "\"' ")
	if strings.IndexAny(rest, "=:>") != 0 {
		return 0
	}
	return len(text) - len(strings.TrimLeft(rest, "=:>\"' ["))
}

// valueLength returns the length of the value at the beginning of a text. That of a header has a word for its kind in front.
func valueLength(text string) int {
	kind := 0
	for _, known := range []string{"aws4-hmac-sha256 ", "bearer ", "basic "} {
		if strings.HasPrefix(text, known) {
			kind = len(known)
		}
	}
	if i := strings.IndexAny(text[kind:], "\"'<>&,;)] \t\r\n\\"); i >= 0 {
		return kind + i
	}
	return len(text)
}

// lowerASCII returns text with the letters A to Z in lower case. It has the same length.
func lowerASCII(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

// codeOfStatus returns the code of an answer that is not in the form of the service, and its message. Then something between the
// producer and the service has answered.
func codeOfStatus(status int, code, message string) (string, string) {
	if code != CodeUnknown { // the SDK has the same name for it
		return code, message
	}
	if message == CodeUnknown {
		message = ""
	}
	words := fmt.Sprintf("an answer with HTTP status %d %s that is not in the form of the service", status, http.StatusText(status))
	return fmt.Sprintf("HTTP%d", status), words + strings.TrimSuffix(": "+message, ": ")
}

// requestIDOf returns the request id in the answer that an error is of. It returns "" if there is none.
func requestIDOf(err error) string {
	var answer interface{ ServiceRequestID() string }
	if !errors.As(err, &answer) {
		return ""
	}
	return clip(answer.ServiceRequestID())
}
