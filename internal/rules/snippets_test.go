package rules

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Code in the comments of what users import is Go, but for lines of three dots,
// and names nothing of ours that is not there. Unlike the snippets of the
// documents it stands in no example, because it leaves out what a reader can do
// without.
func TestCodeInCommentsIsCode(t *testing.T) {
	exported := map[string]map[string]bool{} // names by package
	var code []snippet
	for _, room := range append([]string{"."}, library...) {
		exported[path.Base(room)] = map[string]bool{}
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(room), "*.go"))
		require.NoError(t, err)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
			require.NoError(t, err)
			declared(file, exported[path.Base(room)])
			for _, group := range file.Comments {
				code = append(code, snippets(name, group.Text())...)
			}
		}
	}
	checked := 0
	for _, s := range code {
		body, ok := s.parse()
		if !ok { // a table, a picture, a formula
			assert.NotContains(t, s.text, ":=", "%s: does not parse", s.file)
			continue
		}
		ast.Inspect(body, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && exported[pkg.Name] != nil && ast.IsExported(sel.Sel.Name) {
				checked++
				assert.True(t, exported[pkg.Name][sel.Sel.Name], "%s: there is no %s.%s", s.file, pkg.Name, sel.Sel.Name)
			}
			return true
		})
	}
	require.Greater(t, checked, 10)
}

// snippet is an indented block of a comment.
type snippet struct{ file, text string }

func snippets(file, text string) (found []snippet) {
	var p comment.Parser
	for _, block := range p.Parse(text).Content {
		if c, ok := block.(*comment.Code); ok {
			found = append(found, snippet{file, c.Text})
		}
	}
	return found
}

// parse reads a snippet as statements, or as declarations.
func (s snippet) parse() (*ast.File, bool) {
	lines := strings.Split(s.text, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) == "..." {
			lines[i] = ""
		}
	}
	text := strings.Join(lines, "\n")
	for _, src := range []string{"package p\nfunc _() {\n" + text + "\n}", "package p\n" + text} {
		if file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution); err == nil {
			return file, true
		}
	}
	return nil, false
}

// declared adds the names that file declares for others.
func declared(file *ast.File, names map[string]bool) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					names[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				}
			}
		}
	}
}
