package setup

import (
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// levels says from which level on each logger logs. It is read without a lock.
type levels struct {
	mu  sync.Mutex // of those who change it
	set atomic.Pointer[levelSet]
}

// levelSet never changes.
type levelSet struct {
	base   slog.Level
	byName map[string]slog.Level
}

// of returns the level for the name, or for the longest part of it, up to one of
// its dots, that has one.
func (s *levelSet) of(name string) slog.Level {
	for name != "" {
		if l, ok := s.byName[name]; ok {
			return l
		}
		name = name[:max(0, strings.LastIndexByte(name, '.'))]
	}
	return s.base
}

// change sets one level; the name "" is for all that have none of their own.
func (l *levels) change(name string, level slog.Level) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := *l.set.Load()
	if name == "" {
		next.base = level
	} else {
		next.byName = maps.Clone(next.byName)
		next.byName[name] = level
	}
	l.set.Store(&next)
}

// gate is the level of one logger: its own, or what the outputs take if that is
// less. What its name gives is looked up once for each change.
type gate struct {
	levels *levels
	fan    *fan
	name   string
	known  atomic.Pointer[known]
}

type known struct {
	set   *levelSet
	level slog.Level
}

// Level implements slog.Leveler.
func (g *gate) Level() slog.Level {
	set := g.levels.set.Load()
	k := g.known.Load()
	if k == nil || k.set != set {
		k = &known{set: set, level: set.of(g.name)}
		g.known.Store(k)
	}
	return max(k.level, g.fan.level())
}
