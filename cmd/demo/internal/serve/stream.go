package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	beat       = 250 * time.Millisecond // between figures
	silence    = 15 * time.Second       // the longest without a sign of life
	stuck      = 5 * time.Second        // a reader that takes nothing for so long is let go
	maxStreams = 16
)

// stream sends figures as server-sent events until the reader leaves or the
// server ends. Those of an experiment that is over come again only as a sign of
// life.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		refuse(w, http.StatusServiceUnavailable, fmt.Errorf("%d pages are looking already", maxStreams))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	to := http.NewResponseController(w)
	send := func(text []byte) bool {
		_ = to.SetWriteDeadline(time.Now().Add(stuck)) // what cannot be set is not needed
		_, err := w.Write(text)
		return err == nil && to.Flush() == nil
	}
	var read reader
	due := time.NewTimer(beat)
	defer due.Stop()
	if !send([]byte("retry: 1000\n\n")) {
		return
	}
	for last := false; ; {
		t, changed := s.bench.look()
		text, err := json.Marshal(read.read(t))
		if err != nil || !send(fmt.Appendf(nil, "event: figures\ndata: %s\n\n", text)) || last {
			return
		}
		due.Reset(beat)
		if t.state == closed {
			due.Reset(silence)
		}
		select {
		case <-due.C:
		case <-changed:
		case <-r.Context().Done():
			return
		case <-s.ended:
			last = true
		}
	}
}
