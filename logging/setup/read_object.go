package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// reader reads a value of JSON, which is valid, into where it belongs. path says
// where the value stands, for errors.
type reader func(path string, raw json.RawMessage) error

// members are the readers of an object's members, by name.
type members map[string]reader

func (m members) read(path string, raw json.RawMessage) error {
	seen := map[string]bool{}
	return each(path, raw, func(name string, value json.RawMessage) error {
		field := strings.TrimPrefix(path+"."+name, ".")
		read, known := m[name]
		switch {
		case !known:
			return refuse(field, clip(value), "is unknown")
		case seen[name]:
			return refuse(field, clip(value), "must not be there twice")
		}
		seen[name] = true
		return read(field, value)
	})
}

// each calls read for each member of an object, in their order.
func each(path string, raw json.RawMessage, read func(name string, value json.RawMessage) error) error {
	if raw[0] != '{' {
		return wrong(path, raw, "an object")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, err := dec.Token() // the brace
	for err == nil && dec.More() {
		var name json.Token
		var value json.RawMessage
		if name, err = dec.Token(); err != nil {
			break
		}
		if err = dec.Decode(&value); err != nil {
			break
		}
		if err = read(name.(string), value); err != nil {
			break
		}
	}
	return err
}

// list reads a list.
func list[T any](dst *[]T, of func(*T) reader) reader {
	return func(path string, raw json.RawMessage) error {
		var values []json.RawMessage
		if raw[0] != '[' || json.Unmarshal(raw, &values) != nil {
			return wrong(path, raw, "a list")
		}
		*dst = make([]T, len(values))
		for i, value := range values {
			if err := of(&(*dst)[i])(fmt.Sprintf("%s[%d]", path, i), value); err != nil {
				return err
			}
		}
		return nil
	}
}

func wrong(path string, raw json.RawMessage, want string) error {
	if path == "" {
		path = "the configuration"
	}
	return refuse(path, clip(raw), "must be "+want)
}

// clip returns the value as an error shows it.
func clip(raw json.RawMessage) string {
	const limit = 60
	if runes := []rune(string(raw)); len(runes) > limit {
		return string(slices.Concat(runes[:limit], []rune("…")))
	}
	return string(raw)
}
