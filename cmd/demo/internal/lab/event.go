package lab

import "strconv"

// Event is what producers produce: a number, and a payload that they share.
type Event struct {
	Producer uint32
	Seq      uint64 // of its producer, from 0
	padding  []byte // brings the line to its size; ends with a line feed
}

// minSize has room for both numbers.
const minSize = 32

// paddingFor returns a padding from which every line of the given size can be
// made.
func paddingFor(size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = "penstock "[i%9]
	}
	p[size-1] = '\n'
	return p
}

// AppendLine appends the event's line, which has the size that was asked for.
// It never fails.
func AppendLine(dst []byte, ev Event) ([]byte, error) {
	start := len(dst)
	dst = strconv.AppendUint(dst, uint64(ev.Producer), 10)
	dst = append(dst, '-')
	dst = strconv.AppendUint(dst, ev.Seq, 10)
	dst = append(dst, ' ')
	return append(dst, ev.padding[len(dst)-start:]...), nil
}
