package kpl

import (
	"crypto/fips140"
	"crypto/md5" //nolint:gosec // see md5Sum
	"encoding/binary"
	"math/bits"
)

// md5Width is how many messages md5Blocks hashes side by side.
const md5Width = 8

// md5State is the four words of each lane's MD5.
type md5State [4][md5Width]uint32

// start makes a lane ready for a message.
func (s *md5State) start(lane int) {
	s[0][lane], s[1][lane], s[2][lane], s[3][lane] = 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476
}

// sum is the MD5 of the message that a lane has taken in.
func (s *md5State) sum(lane int) (sum [md5.Size]byte) {
	for i := range s {
		binary.LittleEndian.PutUint32(sum[4*i:], s[i][lane])
	}
	return sum
}

// padMD5 writes the end of a message of the given length, the padding after rest included, and returns how long it is.
// The message's last bytes, those beyond a multiple of the block, are rest.
func padMD5(tail *[2 * md5.BlockSize]byte, rest []byte, length int) int {
	size := md5.BlockSize
	if len(rest) >= md5.BlockSize-8 {
		size = 2 * md5.BlockSize
	}
	clear(tail[copy(tail[:], rest):size])
	tail[len(rest)] = 0x80
	binary.LittleEndian.PutUint64(tail[size-8:], uint64(length)<<3) //nolint:gosec // it is positive
	return size
}

// md5Lanes hashes messages side by side, where the processor can: eight take hardly longer than one. It
// may be used again and again, but not by two goroutines at a time.
type md5Lanes struct {
	state md5State
	lanes [md5Width]md5Lane
}

// md5Lane is a message on its way.
type md5Lane struct {
	message int
	blocks  []byte // to be taken in
	ending  int    // bytes of tail that follow them
	tail    [2 * md5.BlockSize]byte
}

// sum appends the MD5 of each message to sums.
func (l *md5Lanes) sum(sums [][md5.Size]byte, messages [][]byte) [][md5.Size]byte {
	if len(messages) < 2 || !md5SideBySide() {
		for _, m := range messages {
			sums = append(sums, md5Sum(m))
		}
		return sums
	}
	first := len(sums)
	sums = append(sums, make([][md5.Size]byte, len(messages))...)
	next, busy := 0, 0
	for lane := range l.lanes {
		if next < len(messages) {
			l.take(lane, next, messages)
			next, busy = next+1, busy|1<<lane
		}
	}
	for busy != 0 {
		l.advance(busy)
		for lane := range l.lanes {
			way := &l.lanes[lane]
			switch {
			case busy>>lane&1 == 0 || len(way.blocks) > 0:
			case way.ending > 0:
				way.blocks, way.ending = way.tail[:way.ending], 0
			default:
				sums[first+way.message] = l.state.sum(lane)
				way.blocks = nil
				if next < len(messages) {
					l.take(lane, next, messages)
					next++
				} else {
					busy &^= 1 << lane
				}
			}
		}
	}
	return sums
}

// take gives a lane the next message.
func (l *md5Lanes) take(lane, next int, messages [][]byte) {
	way, m := &l.lanes[lane], messages[next]
	whole := len(m) / md5.BlockSize * md5.BlockSize
	way.message, way.blocks = next, m[:whole]
	way.ending = padMD5(&way.tail, m[whole:], len(m))
	if whole == 0 {
		way.blocks, way.ending = way.tail[:way.ending], 0
	}
	l.state.start(lane)
}

// advance takes in as many blocks of the busy lanes as all of them have. The others take in any.
func (l *md5Lanes) advance(busy int) {
	shortest := l.lanes[bits.TrailingZeros(uint(busy))].blocks
	for lane := range l.lanes {
		if blocks := l.lanes[lane].blocks; busy>>lane&1 == 1 && len(blocks) < len(shortest) {
			shortest = blocks
		}
	}
	var at [md5Width]*byte
	for lane := range l.lanes {
		at[lane] = &shortest[0]
		if way := &l.lanes[lane]; busy>>lane&1 == 1 {
			at[lane], way.blocks = &way.blocks[0], way.blocks[len(shortest):]
		}
	}
	md5Blocks(&l.state, &at, len(shortest)/md5.BlockSize)
}

// md5Sum hashes data, also in a program that allows FIPS 140-3 algorithms only: the service and the format ask for MD5,
// and no secret depends on it.
func md5Sum(data []byte) (sum [md5.Size]byte) {
	if fips140.Enforced() {
		fips140.WithoutEnforcement(func() { sum = md5.Sum(data) }) //nolint:gosec // see above
		return sum
	}
	return md5.Sum(data) //nolint:gosec // see above
}
