package logging

import (
	"context"
	"log/slog"
)

// extract calls the extractors.
func (h *Handler) extract(ctx context.Context) (found []slog.Attr) {
	for _, e := range h.cfg.Extract {
		found = extractOne(ctx, e, found)
	}
	return found
}

// extractOne guards against an extractor's panic, and against one that forgets
// what it was given.
func extractOne(ctx context.Context, e Extractor, found []slog.Attr) (more []slog.Attr) {
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
