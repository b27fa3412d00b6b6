// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpl

import (
	"errors"
	"net"
)

// lostAnswer reports whether a call that failed with err, which f is, may have stored its records all the same: the request was
// on its way, and the answer did not come or made no sense.
func lostAnswer(err error, f fault) bool {
	var dial *net.OpError
	switch f.code {
	case CodeCountMismatch, CodeCanceled, "HTTP502", "HTTP504":
		return true
	case CodeTimeout, CodeConnection:
		return !errors.As(err, &dial) || dial.Op != "dial"
	}
	return f.class == classLater
}

// Resent returns how many attempts were repeated although they may have stored the record where readers find it: the answer was
// lost (see [Attempt.AnswerLost]), or readers drop some of the records that were stored together ([CodeWrongShard]). Readers
// may see the record once more for each.
func (r Result) Resent() int {
	resent := 0
	for i := range len(r.Attempts) - 1 {
		if a := &r.Attempts[i]; a.AnswerLost || a.Code == CodeWrongShard {
			resent++
		}
	}
	return resent
}
