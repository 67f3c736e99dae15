package pipeline_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/pipeline"
)

// TestDocs holds the README and the documents against the code.
func TestDocs(t *testing.T) {
	pages := readPages(t)
	delivery, tuning := filepath.Join("..", "docs", "delivery.md"), filepath.Join("..", "docs", "tuning.md")
	t.Run("snippets", func(t *testing.T) {
		examples := readExamples(t)
		for path, page := range pages {
			for _, block := range blocks(page) {
				assert.True(t, examples.have(block), "%s: not in any example:\n%s", path, block)
			}
		}
	})
	t.Run("links", func(t *testing.T) {
		for path, page := range pages {
			for _, to := range links(page) {
				assert.Empty(t, broken(pages, path, to), "%s: link to %s", path, to)
			}
		}
	})
	t.Run("figures of Stats", func(t *testing.T) {
		for _, name := range jsonNames(reflect.TypeFor[pipeline.Stats]()) {
			assert.True(t, strings.Contains(pages[delivery], "`"+name+"`"), "%s: does not explain %s", delivery, name)
		}
	})
	t.Run("fields of Config", func(t *testing.T) {
		for _, f := range reflect.VisibleFields(reflect.TypeFor[pipeline.Config[int]]()) {
			assert.True(t, strings.Contains(pages[tuning], "| `"+f.Name+"` |"), "%s: has no row for %s", tuning, f.Name)
		}
	})
}

// readPages returns the README, the changelog and the documents by path.
func readPages(t *testing.T) map[string]string {
	paths, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	require.NoError(t, err)
	pages := map[string]string{}
	for _, path := range append(paths, filepath.Join("..", "README.md"), filepath.Join("..", "CHANGELOG.md")) {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		pages[path] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
	return pages
}

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// blocks returns the Go code of a page.
func blocks(page string) (code []string) {
	for _, m := range goBlock.FindAllStringSubmatch(page, -1) {
		code = append(code, m[1])
	}
	return code
}

// exampleFile is what a snippet may be taken from.
type exampleFile struct {
	text    string // without indentation
	imports map[string]bool
}

type exampleFiles []exampleFile

func readExamples(t *testing.T) (files exampleFiles) {
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == ".git" {
			return filepath.SkipDir
		}
		base := filepath.Base(path)
		if err != nil || !strings.HasPrefix(base, "example") || !strings.HasSuffix(base, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		files = append(files, exampleFile{flatten(string(text)), imports(parse(t, string(text)))})
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// have reports whether a snippet occurs in a file. A whole program does if the
// body of its main occurs in a file that imports at least what it imports.
func (files exampleFiles) have(block string) bool {
	var needs map[string]bool
	if strings.HasPrefix(block, "package main\n") {
		file, err := parser.ParseFile(token.NewFileSet(), "", block, parser.SkipObjectResolution)
		if err != nil || len(file.Decls) == 0 {
			return false
		}
		main, ok := file.Decls[len(file.Decls)-1].(*ast.FuncDecl)
		if !ok || main.Name.Name != "main" || len(file.Decls) > 2 {
			return false
		}
		needs = imports(file)
		block = block[main.Body.Lbrace : main.Body.Rbrace-1]
	}
	code := flatten(block)
	for _, f := range files {
		if containsLines(f.text, code) && covers(f.imports, needs) {
			return true
		}
	}
	return false
}

func containsLines(text, code string) bool {
	return code != "" && strings.Contains("\n"+text+"\n", "\n"+code+"\n")
}

func covers(have, needs map[string]bool) bool {
	for path := range needs {
		if !have[path] {
			return false
		}
	}
	return true
}

func parse(t *testing.T, src string) *ast.File {
	file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ImportsOnly)
	require.NoError(t, err)
	return file
}

func imports(file *ast.File) map[string]bool {
	paths := map[string]bool{}
	for _, spec := range file.Imports {
		paths[spec.Path.Value] = true
	}
	return paths
}

// flatten takes away indentation and what surrounds the code.
func flatten(code string) string {
	lines := strings.Split(strings.TrimSpace(code), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
	inline  = regexp.MustCompile("`[^`\n]*`")
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// links returns the targets of a page's links that lie in this repository.
func links(page string) (targets []string) {
	prose := inline.ReplaceAllString(fenced.ReplaceAllString(page, ""), "")
	for _, m := range link.FindAllStringSubmatch(prose, -1) {
		if u, err := url.Parse(m[1]); err != nil || u.Scheme == "" {
			targets = append(targets, m[1])
		}
	}
	return targets
}

// broken says what is wrong with a link on the page at path from.
func broken(pages map[string]string, from, to string) string {
	path, anchor, _ := strings.Cut(to, "#")
	target := from
	if path != "" {
		target = filepath.Join(filepath.Dir(from), filepath.FromSlash(path))
	}
	if _, err := os.Stat(target); err != nil {
		return "no such file"
	}
	if anchor == "" {
		return ""
	}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(pages[target], ""), -1) {
		title := dropped.ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(title, " ", "-") == anchor {
			return ""
		}
	}
	return "no such heading"
}

// jsonNames returns the names that json.Marshal gives the fields of a struct,
// and of the structs in it, also those in slices.
func jsonNames(t reflect.Type) (names []string) {
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous {
			continue // its fields follow as those of t
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		names = append(names, name)
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			names = append(names, jsonNames(inner)...)
		}
	}
	return names
}
