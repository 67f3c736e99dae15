package logging

import (
	"log/slog"
	"slices"
	"strings"
)

// Redacted is what stands in the place of a value that HandlerConfig.Redact
// names.
const Redacted = "[redacted]"

// secrets are names of attributes whose values nobody is to see.
type secrets []string

func (s secrets) have(key string) bool {
	for _, name := range s {
		if strings.EqualFold(name, key) {
			return true
		}
	}
	return false
}

// redactTemplate returns r with secrets taken out of its attributes and, if
// there were any, of its message: the message is rendered anew. The renderings
// are those of the new one.
func (h *Handler) redactTemplate(r slog.Record, template string, renderings []string) (slog.Record, []string) {
	logged := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		logged = append(logged, a)
		return true
	})
	f := h.freezer()
	f.all = h.secret
	shown := slices.Clone(logged)
	for i := range shown {
		f.redact(&shown[i])
	}
	if f.redacted == 0 {
		return r, renderings
	}
	t := h.templates.get(template)
	quoted, _ := t.named(logged, false)
	message, renderings := t.named(shown, quoted != r.Message) // as the one that came
	out := slog.NewRecord(r.Time, r.Level, message, r.PC)
	out.AddAttrs(shown...)
	return out, renderings
}

// redact replaces what is secret in a. Groups are copied, all else is left as
// it is: the message is to show an error as an error.
func (f *freezer) redact(a *slog.Attr) {
	if f.hides(a.Key) {
		a.Value = slog.StringValue(Redacted)
		return
	}
	switch a.Value.Kind() {
	case slog.KindAny:
		if _, structure := a.Value.Any().(*Rendered); !structure {
			return
		}
	case slog.KindGroup, slog.KindLogValuer:
	default:
		return
	}
	if v, ok := f.value(a.Key, a.Value, 0); ok {
		a.Value = v
	}
}

// count notes that a value was secret.
func (f *freezer) count(hidden bool) {
	if hidden {
		f.redacted++
	}
}

// hides reports whether the value under key is secret, and counts it.
func (f *freezer) hides(key string) bool {
	if f.all || len(f.secrets) > 0 && f.secrets.have(key) {
		f.redacted++
		return true
	}
	return false
}
