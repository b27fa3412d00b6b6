// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package kpltest

import "github.com/aws/aws-sdk-go-v2/service/kinesis/types"

// SetDistribution changes who chooses the shard of a record, as UpdateStreamRecordDistributionStrategy does. It works at any
// time and at once. The stream must exist.
func (k *Kinesis) SetDistribution(name string, distribution types.RecordDistributionStrategy) error {
	return k.update(name, func(s *stream) { s.Distribution = distribution })
}

// SetMaxRecordSize changes the most bytes of data and partition key in a record, as UpdateMaxRecordSize does. The stream must
// exist.
func (k *Kinesis) SetMaxRecordSize(name string, bytes int) error {
	return k.update(name, func(s *stream) { s.MaxRecordSize = bytes })
}

// update changes the settings of a stream.
func (k *Kinesis) update(name string, change func(*stream)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, err := k.lookup(parseReference(name))
	if err != nil {
		return err
	}
	change(s)
	return nil
}
