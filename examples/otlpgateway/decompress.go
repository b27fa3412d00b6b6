// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// errEncoding is wrapped by the error for a content encoding that is not served.
var errEncoding = errors.New("unknown Content-Encoding")

// decompressors are used again, because they are large. The zero value is ready for use.
type decompressors struct{ gzip, zstd sync.Pool }

// open returns a reader for the plain bytes of a body, and a function that must be called when nobody reads any more.
func (d *decompressors) open(encoding string, body io.Reader) (plain io.Reader, closePlain func(), err error) {
	switch encoding {
	case "", "identity":
		return body, func() {}, nil
	case "gzip":
		r, ok := d.gzip.Get().(*gzip.Reader)
		if !ok {
			r = new(gzip.Reader)
		}
		err = r.Reset(body)
		return r, func() { d.gzip.Put(r) }, err
	case "zstd":
		r, ok := d.zstd.Get().(*zstd.Decoder)
		if !ok {
			// One goroutine decodes: that of the request.
			if r, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow)); err != nil {
				return nil, nil, err
			}
		}
		err = r.Reset(body)
		closePlain = func() {
			_ = r.Reset(nil) // It keeps nothing of the request.
			d.zstd.Put(r)
		}
		return r, closePlain, err
	}
	return nil, nil, fmt.Errorf("%w %q: gzip, zstd and none are served", errEncoding, encoding)
}

// maxWindow is how much memory a zstd decoder may take for a request, in bytes. Encoders at their usual levels use no more.
const maxWindow = 8 << 20

// windowOf returns how much memory a decoder may take for a request in an encoding.
func windowOf(encoding string) int {
	if encoding == "zstd" {
		return maxWindow
	}
	return 0
}
