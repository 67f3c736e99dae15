package logging

import (
	"context"
	"log/slog"
)

// extract calls the extractors and freezes what they found.
func (h *Handler) extract(ctx context.Context, f *freezer) []slog.Attr {
	found := f.block.scratch[:0]
	for _, e := range h.cfg.Extract {
		found = h.extractOne(ctx, e, found)
	}
	if len(found) == 0 {
		return nil
	}
	frozen := f.attrs(found, 0)
	clear(found)
	f.block.scratch = found[:0]
	return frozen
}

// extractOne guards against an extractor's panic, and against one that forgets
// what it was given.
func (h *Handler) extractOne(ctx context.Context, e Extractor, found []slog.Attr) (more []slog.Attr) {
	defer func() {
		if v := recover(); v != nil {
			more = append(found, slog.String("!EXTRACT", panicked(e, v)))
		}
	}()
	if more = e(ctx, found); len(more) < len(found) {
		return found
	}
	return more
}
