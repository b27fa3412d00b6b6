package kpl

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// maxMessage is how many bytes of an error's text an Attempt keeps, without the ellipsis where the rest was.
const maxMessage = 1 << 10

// ellipsis stands where something was cut off.
const ellipsis = "…"

// textOf returns what an error says, without what the SDK puts before it: the operation, the number of attempts, empty ids.
// The cause stands at the end.
func textOf(err error) string { return messageOf(withoutSDK(err.Error())) }

// messageOf returns a message without secrets and not longer than an Attempt keeps. It keeps the end, where the cause stands. It
// copies what it keeps of a longer text, so that a Result does not keep a whole answer in memory.
func messageOf(message string) string {
	message = strings.ToValidUTF8(masked(message), "") // a service may send any bytes
	if len(message) <= maxMessage {
		return message
	}
	return ellipsis + strings.ToValidUTF8(message[len(message)-maxMessage:], "") // the cut may be inside a character
}

// withoutSDK returns a text of the SDK without what says nothing. Of an answer with a status, the status stays.
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
			status, rest, _ := strings.Cut(rest, ", RequestID: ")
			if _, text, _ = strings.Cut(rest, ", "); status != "0" {
				return "HTTP status " + status + ": " + withoutSDK(text)
			}
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
	"security-token", "sessiontoken", "session_token", "secretaccesskey", "secret_access_key", "credential=", "signature=",
	"authorization",
}

// masked returns a text with stars in place of the values of secrets. An answer to a wrong signature may show the session token.
func masked(text string) string {
	lower := lowerASCII(text)
	var out strings.Builder
	from := 0
	for {
		at := -1
		for _, name := range secretNames {
			if i := strings.Index(lower[from:], name); i >= 0 && (at < 0 || from+i+len(name) < at) {
				at = from + i + len(name)
			}
		}
		if at < 0 {
			break
		}
		start := at + len(lower[at:]) - len(strings.TrimLeft(lower[at:], `=:>"' `))
		end := start + len(value(lower[start:]))
		out.WriteString(text[from:start])
		if end > start {
			out.WriteString("***")
		}
		from = end
	}
	if from == 0 {
		return text
	}
	return out.String() + text[from:]
}

// value returns the value at the beginning of a text. That of a header has a word for its kind in front.
func value(text string) string {
	kind := ""
	for _, known := range []string{"aws4-hmac-sha256 ", "bearer ", "basic "} {
		if strings.HasPrefix(text, known) {
			kind = known
		}
	}
	rest := text[len(kind):]
	if i := strings.IndexAny(rest, "\"'<>&,;) \t\r\n\\"); i >= 0 {
		rest = rest[:i]
	}
	return text[:len(kind)+len(rest)]
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

// placeholderCode is what the SDK calls an answer that is not in the form of the service.
const placeholderCode = "UnknownError"

// codeOfStatus returns the code of an answer that is not in the form of the service, and its message. Then something between the
// producer and the service has answered.
func codeOfStatus(status int, code, message string) (string, string) {
	if code != placeholderCode {
		return code, message
	}
	if message == placeholderCode {
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

// withRequestID returns a message with the id of its request, if there is one.
func withRequestID(message, id string) string {
	if id == "" {
		return message
	}
	return cmp.Or(message, "no message") + " (request id " + id + ")"
}
