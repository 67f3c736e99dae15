package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Between these lines a document has the tables.
const (
	beginMark = "<!-- bench:begin -->\n"
	endMark   = "<!-- bench:end -->\n"
)

// markdown returns all tables for a document.
func (r *report) markdown() []byte {
	var b bytes.Buffer
	how := fmt.Sprintf("Measured by `go run ./cmd/bench` on %s, %s.", r.Machine.Begun.Format("2006-01-02"), plural(r.Reps, "repetition"))
	if r.Quick {
		how = fmt.Sprintf("Measured by `go run ./cmd/bench -quick` on %s, %s, in runs so short that they only show the order of things.",
			r.Machine.Begun.Format("2006-01-02"), plural(r.Reps, "repetition"))
	}
	if r.Interrupted != "" {
		how += " Ended early by " + r.Interrupted + "."
	}
	fmt.Fprintln(&b, wrap(how, 120))
	for _, line := range r.Machine.lines() {
		fmt.Fprintln(&b, wrap(line, 120))
	}
	for _, g := range r.Groups {
		if g.measured() {
			g.markdown(&b)
		}
	}
	return b.Bytes()
}

func (g *groupResult) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n", g.Title, wrap(g.Note, 120))
	for _, c := range g.Cases {
		rows := g.rows(c)
		if len(rows) == 0 {
			continue
		}
		head, rule := "| "+c.Name+" |", "|---|"
		for _, column := range g.Columns {
			head += " " + column.Name + " |"
			rule += "---:|"
		}
		fmt.Fprintf(b, "\n%s %s | lost | counted |\n%s---:|---:|---|\n", head, g.ratioName(), rule)
		for _, row := range rows {
			fmt.Fprintf(b, "| %s |", row.name)
			for i, column := range g.Columns {
				fmt.Fprintf(b, " %s |", column.Unit.format(row.values[i]))
			}
			fmt.Fprintf(b, " %s | %s | %s |\n", row.ratioText(), share(row.loss), row.told)
		}
	}
}

// writeMarkdown puts the tables between the marks of a document, or makes a
// file of them.
func writeMarkdown(path string, tables []byte) error {
	text, err := within(path, string(tables))
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// within returns the text of a document, which need not exist yet, with tables
// between its marks.
func within(path, tables string) (string, error) {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	text, err := between(string(old), tables)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

// between replaces what is between the marks of a document. An empty document
// becomes one.
func between(document, tables string) (string, error) {
	if document == "" {
		return beginMark + tables + endMark, nil
	}
	before, rest, begins := strings.Cut(document, beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return "", errors.New("has no lines " + strings.TrimSpace(beginMark) + " and " + strings.TrimSpace(endMark) + " to put the tables between")
	}
	return before + beginMark + "\n" + tables + "\n" + endMark + after, nil
}
