package logging

import (
	"context"
	"log/slog"
)

// HandleTemplate implements [TemplateHandler].
func (h *Handler) HandleTemplate(ctx context.Context, r slog.Record, template string, renderings []string) error {
	rec := Record{
		Time: r.Time, Level: r.Level, Message: r.Message,
		Template: template, Renderings: renderings, scope: h.scope,
	}
	h.fill(ctx, &rec, &r)
	return h.queue.Enqueue(rec)
}

var _ TemplateHandler = (*Handler)(nil)
