// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

// PushOption says something about one push that its data does not say.
type PushOption struct {
	metadata func(key string) []string
}

// WithMetadata gives the metadata of the client that has sent the push: get returns the values of a key, none if the client has
// not sent it. The Marshaler calls get before it returns only. Nil means no metadata.
func WithMetadata(get func(key string) []string) PushOption { return PushOption{metadata: get} }

// apply sets what the options say.
func (p *push) apply(options []PushOption) {
	for _, o := range options {
		if o.metadata != nil {
			p.metadata = o.metadata
		}
	}
}
