package setup

import (
	"encoding/json"
	"fmt"
	"io"
)

// ReadConfig reads a Config from JSON: one object, whose members have the names
// of the struct's fields, with a small letter first. Whatever is left out has the
// default it has in the struct. It is strict: a member that is unknown, there
// twice, null, or of the wrong type is refused with its path, as
// "outputs[1].level". What the values mean together is checked by [Open].
//
//   - Levels are texts that [logging.ParseLevel] reads.
//   - Durations are texts as "5s" or "1h30m".
//   - Sizes are numbers of bytes, or texts as "10MB", which is 10,000,000, and
//     "10MiB", which is 10·2^20.
//   - Names of choices are texts: the lower-case names of their constants.
//   - console is "stdout" or "stderr"; modes of files are octal texts as "0640".
//   - attrs is an object; objects in it are groups.
//   - A filter is an object with one member: "levelAtLeast": a level; "has": a
//     path; "equals": {"path": …, "value": …}; "named": a name; "all" or "any": a
//     list of filters; "not": a filter.
//
// Functions, sinks, encoders, stages, routes and clocks cannot be expressed; add
// them to the Config before it is opened.
func ReadConfig(r io.Reader) (Config, error) {
	var cfg Config
	dec := json.NewDecoder(r)
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return Config{}, fmt.Errorf("penstock: read configuration: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return Config{}, fmt.Errorf("penstock: read configuration: something follows the object, at offset %d", dec.InputOffset())
	}
	if err := configMembers(&cfg).read("", raw); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

func configMembers(c *Config) members {
	return members{
		"level":       level(&c.Level),
		"overrides":   levelsByName(&c.Overrides),
		"outputs":     list(&c.Outputs, func(o *Output) reader { return outputMembers(o).read }),
		"filter":      filter(&c.Filter),
		"attrs":       attrs(&c.Attrs),
		"host":        plain(&c.Host, "true or false"),
		"pid":         plain(&c.PID, "true or false"),
		"redact":      list(&c.Redact, func(name *string) reader { return plain(name, text) }),
		"source":      plain(&c.Source, "true or false"),
		"dropSummary": duration(&c.DropSummary),
		"templates": members{
			"unquoted":  plain(&c.Templates.Unquoted, "true or false"),
			"cacheSize": plain(&c.Templates.CacheSize, wholeNumber),
		}.read,
	}
}
