// Copyright The kinesiskplexporter Authors
// SPDX-License-Identifier: Apache-2.0

package marshaler

import (
	"fmt"
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pprofile"
)

// jsonGrowth is about how many times as large profiles are in JSON as in protobuf. It only decides where JSON is cut: a message
// that comes out too large is cut again.
const jsonGrowth = 4

// growth is about how many times as large a message gets before it is compressed.
func (f *filler) growth() int {
	if f.json {
		return jsonGrowth
	}
	return 1
}

// converts reports whether a message of profiles is anything but its protobuf encoding.
func (f *filler) converts() bool { return f.compressor.active() || f.json }

// isOneMessage reports whether the whole push is one message of profiles. A large dictionary makes room for itself, see aimFor.
func (f *filler) isOneMessage(p *push) bool {
	f.start()
	f.aimFor(f.portion.selection.dictionary.size * f.growth())
	return len(p.groups) == 1 && (len(f.marker)+len(f.tree.data))*f.growth() <= f.room
}

// fillPortions puts all samples of the tree into messages.
func (f *filler) fillPortions(p *push) error {
	f.begin(p, len(f.tree.data)*f.growth())
	// JSON gets more strings. A place that does not exist could be that of one, so the message is made anew for JSON.
	if f.isOneMessage(p) && !f.json {
		f.to = p.groups[0].destination
		if ok, err := f.addConverted(slices.Concat(f.marker, f.tree.data), p.items); ok || err != nil {
			return err
		}
	}
	for i := range p.groups {
		g := &p.groups[i]
		f.portion.drop()
		f.startAt(g.destination)
		err := f.eachProfile(g, func(r row) error { return f.fillProfile(r) })
		if err == nil {
			err = f.endPortion()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eachProfile calls visit for each profile of the group's resources that has samples, until visit fails.
func (f *filler) eachProfile(g *group, visit func(row) error) error {
	for place := range f.tree.containers[profileDepth] {
		c := f.tree.container(profileDepth, place)
		r := row{depth: profileDepth, parent: c.parent, first: place, last: place + 1}
		if c.first == c.last {
			continue
		}
		if !g.has(f.tree.resourceOf(r)) {
			continue
		}
		if err := visit(r); err != nil {
			return err
		}
	}
	return nil
}

// eachSample calls visit for each sample of a profile, until visit fails.
func (f *filler) eachSample(profile row, visit func(row) error) error {
	samples := f.tree.children(profileDepth, profile.first)
	for place := samples.first; place < samples.last; place++ {
		if err := visit(row{depth: samples.depth, parent: samples.parent, first: place, last: place + 1}); err != nil {
			return err
		}
	}
	return nil
}

// fillProfile puts a profile into a message. If it is too large for any, it is cut between its samples.
func (f *filler) fillProfile(r row) error {
	most := min(f.most(), f.compressor.roomFor(f.limit-f.keySize)/f.growth())
	if ok, err := f.takeRow(r, most); ok || err != nil {
		return err
	}
	return f.eachSample(r, func(sample row) error {
		ok, err := f.takeRow(sample, f.most())
		if !ok && err == nil {
			f.portion.add(sample, math.MaxInt)
			f.rejectSample(sample)
			f.portion.drop()
		}
		return err
	})
}

// takeRow puts a row into the current message, or else into the next one. A row that is larger than the usual message gets one
// for itself, of at most as many bytes as most says, before it is converted. It returns false if the row does not fit that
// either.
func (f *filler) takeRow(r row, most int) (bool, error) {
	if f.portion.items > 0 {
		f.aimFor(f.portion.around() * f.growth())
		if f.portion.add(r, min(f.room/f.growth(), most)) {
			return true, nil
		}
		if err := f.endPortion(); err != nil {
			return false, err
		}
	}
	return f.portion.add(r, most), nil
}

// endPortion ends the current message. If it comes out too large, its samples take several messages.
func (f *filler) endPortion() error {
	if f.portion.items == 0 {
		return nil
	}
	b := f.buffers.get(f.portion.size())
	plain := f.portion.write(b.data[:0])
	if len(plain) > cap(b.data) {
		b.release()
		b = &buffer{} // never: the portion knows how large it gets at most
	}
	b.data = plain
	if !f.converts() {
		f.add(f.buffers.fit(b), f.portion.items)
		f.portion.drop()
		return nil
	}
	defer b.release()
	ok, err := f.addConverted(plain, f.portion.items)
	if ok || err != nil {
		f.portion.drop()
		return err
	}
	return f.endHalves()
}

// rejectSample leaves out the sample that the portion consists of.
func (f *filler) rejectSample(sample row) {
	f.encoded.Rejected = append(f.encoded.Rejected,
		&ItemSizeError{Signal: f.signal, Size: f.portion.size() + f.keySize, Limit: f.limit})
	f.rejectedOf = append(f.rejectedOf, f.firstResource+f.tree.resourceOf(sample))
}

// addConverted adds a message of protobuf with so many items as what messages are. It returns false if it is too large for that.
func (f *filler) addConverted(plain []byte, items int) (bool, error) {
	data := plain
	if f.json {
		profiles, err := new(pprofile.ProtoUnmarshaler).UnmarshalProfiles(plain)
		if err != nil {
			return false, fmt.Errorf("marshaler: %w: decode %s of %d bytes: %w", ErrMalformed, f.signal, len(plain), err)
		}
		if data, err = new(pprofile.JSONMarshaler).MarshalProfiles(profiles); err != nil {
			return false, fmt.Errorf("marshaler: encode %s: %w", f.signal, err)
		}
		if f.newline {
			data = append(data, '\n')
		}
	}
	fits := func(data []byte) bool { return f.divides || len(data)+f.keySize <= f.limit }
	if f.compressor.active() {
		f.compressor.compressData(data)
		compressed := f.compressor.compressed
		if size := len(plain) * f.growth(); 2*size > f.room {
			f.compressor.ratio.learn(size, len(compressed))
		}
		if len(data) <= MaxPlainSize && fits(compressed) {
			f.addCompressed(compressed, len(data), items)
			return true, nil
		}
		if items > 1 {
			return false, nil
		}
	}
	if !fits(data) { // nor does a single item that compression makes larger
		return false, nil
	}
	f.addCopy(data, items)
	return true, nil
}

// endHalves ends the current message as two, or more if these are too large. A single item is rejected.
func (f *filler) endHalves() error {
	rows := slices.Clone(f.portion.rows)
	if len(rows) == 1 && rows[0].depth == profileDepth {
		profile := rows[0]
		rows = rows[:0]
		_ = f.eachSample(profile, func(sample row) error { rows = append(rows, sample); return nil })
	}
	if len(rows) == 1 {
		f.rejectSample(rows[0])
		f.portion.drop()
		return nil
	}
	for _, half := range [][]row{rows[:len(rows)/2], rows[len(rows)/2:]} {
		f.portion.drop()
		for _, r := range half {
			f.portion.add(r, math.MaxInt)
		}
		if err := f.endPortion(); err != nil {
			return err
		}
	}
	return nil
}

// divideProfiles divides a message of profiles, see [Marshaler.Divide].
func (m *Marshaler) divideProfiles(message *Message, items int) ([]Message, error) {
	otlp, err := m.AppendProto(nil, Profiles, message.Data)
	if err != nil {
		return nil, err
	}
	f := m.fillers[Profiles].Get().(*filler)
	defer m.fillers[Profiles].Put(f)
	defer f.forget()
	if err := f.cut(otlp, 1, message.Items); err != nil {
		return nil, err
	}
	if !f.portion.read(&f.tree) {
		return nil, fmt.Errorf("marshaler: cut %s of %d bytes: %w", Profiles, len(otlp), ErrMalformed)
	}
	f.encoded.Messages = make([]Message, 0, (message.Items+items-1)/items)
	f.startAt(destinationOf(message))
	f.divides = true
	defer func() { f.divides = false }()
	take := func(r row) error {
		if f.portion.items+f.tree.items(r) > items {
			if err := f.endPortion(); err != nil {
				return err
			}
		}
		f.portion.add(r, math.MaxInt)
		return nil
	}
	err = f.eachProfile(&group{}, func(r row) error {
		if f.tree.items(r) <= items {
			return take(r)
		}
		return f.eachSample(r, take)
	})
	if err == nil {
		err = f.endPortion()
	}
	if err != nil {
		f.discard()
		return nil, err
	}
	return f.encoded.Messages, nil
}
