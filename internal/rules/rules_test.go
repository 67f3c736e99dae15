package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/penstock-go/penstock/"

// rooms says what each room's production code may import of ours, and from
// outside the standard library. A room not named here has no such rule.
var rooms = map[string][]string{
	"clockutil":           {"github.com/benbjohnson/clock"},
	"clockutil/clocktest": {"github.com/benbjohnson/clock", module + "clockutil"},
	"stage":               {"github.com/benbjohnson/clock", "github.com/sourcegraph/conc/panics", module + "clockutil"},
	"pipeline": {"github.com/benbjohnson/clock", "github.com/sourcegraph/conc", "github.com/sourcegraph/conc/panics",
		module + "clockutil", module + "stage"},
	"sinks": {"github.com/benbjohnson/clock", "github.com/sourcegraph/conc", "github.com/sourcegraph/conc/panics",
		module + "clockutil", module + "stage"},
	"sinks/sinktest": {module + "clockutil/clocktest", module + "stage"},
	"logging": {"github.com/benbjohnson/clock", "github.com/sourcegraph/conc", "github.com/sourcegraph/conc/panics",
		module + "clockutil", module + "stage", module + "pipeline", module + "sinks"},
	"logging/setup": {"github.com/benbjohnson/clock", "github.com/sourcegraph/conc",
		module + "clockutil", module + "stage", module + "pipeline", module + "sinks", module + "logging"},
}

// forTests are the rooms whose code users run in their tests alone.
var forTests = []string{"clockutil/clocktest", "sinks/sinktest"}

// library are the rooms whose code users run.
var library = []string{"clockutil", "stage", "pipeline", "sinks", "logging", "logging/setup", "metrics/otel", "metrics/prometheus"}

// panics are the files that go on with a panic of the user's.
var panics = []string{"logging/setup/crash.go"}

// gives are the files where producers give way to the actors, which is no
// waiting for anything.
var gives = []string{"stage/intake_ring.go"}

// file is one parsed source file.
type file struct {
	path string
	room string // folder
	test bool
	ast  *ast.File
}

func sources(t *testing.T) (fset *token.FileSet, files []file) {
	root := filepath.Join("..", "..")
	fset = token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && rel != "." {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		files = append(files, file{
			path: rel, room: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(rel, "_test.go"), ast: f,
		})
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(files), 50)
	return fset, files
}

func TestRoomsImportWhatTheyMay(t *testing.T) {
	_, files := sources(t)
	for _, f := range files {
		allowed, ruled := rooms[f.room]
		if !ruled || f.test {
			continue
		}
		for _, imp := range f.ast.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			require.NoError(t, err)
			std := !strings.Contains(strings.SplitN(path, "/", 2)[0], ".")
			assert.True(t, std || slices.Contains(allowed, path), "%s imports %s", f.path, path)
			assert.False(t, path == "testing" && !slices.Contains(forTests, f.room), "%s imports testing", f.path)
		}
	}
}

// ban forbids calls named pkg.fun, or any method fun if pkg is empty.
type ban struct {
	pkg, fun string
	why      string
}

var (
	wallClock = []ban{
		{"time", "Now", "ask the injected clock"}, {"time", "Since", "ask the injected clock"},
		{"time", "Until", "ask the injected clock"}, {"time", "Sleep", "use clockutil"},
		{"time", "After", "use clockutil"}, {"time", "AfterFunc", "use clockutil"}, {"time", "Tick", "use clockutil"},
		{"time", "NewTimer", "use clockutil"}, {"time", "NewTicker", "use clockutil"},
		{"context", "WithTimeout", "use clockutil"}, {"context", "WithDeadline", "use clockutil"},
		{"context", "WithTimeoutCause", "use clockutil"}, {"context", "WithDeadlineCause", "use clockutil"},
		{"runtime", "Gosched", "wait for something"},
	}
	mockTimers = []ban{
		// After is not here: time.Time has a method of that name.
		{"", "Tick", "a clock's timers are used through clockutil"},
		{"", "Ticker", "a clock's timers are used through clockutil"}, {"", "Timer", "a clock's timers are used through clockutil"},
		{"", "AfterFunc", "a clock's timers are used through clockutil"},
	}
	loud = []ban{
		{"fmt", "Print", "the library is silent"}, {"fmt", "Println", "the library is silent"},
		{"fmt", "Printf", "the library is silent"}, {"log", "Print", "the library is silent"},
		{"log", "Printf", "the library is silent"}, {"log", "Println", "the library is silent"},
		{"os", "Exit", "the library does not end the program"},
	}
	polls = []ban{
		{"time", "Sleep", "settle, or wait for a channel"}, {"runtime", "Gosched", "settle, or wait for a channel"},
		{"", "Eventually", "settle, or wait for a channel"}, {"", "EventuallyWithT", "settle, or wait for a channel"},
		{"", "Never", "settle, or wait for a channel"},
	}
)

func TestNobodyCallsWhatIsBanned(t *testing.T) {
	fset, files := sources(t)
	for _, f := range files {
		var bans []ban
		inLibrary := slices.Contains(library, f.room)
		switch {
		case f.room == "clockutil/clocktest" && !f.test:
			continue // it moves time
		case f.room == "clockutil" && f.test, f.room == "clockutil/clocktest":
			bans = []ban{{"runtime", "Gosched", "wait for something"}, {"", "Eventually", "settle"}}
		case f.test:
			bans = polls
		case f.room == "clockutil":
			bans = loud
		case inLibrary:
			bans = slices.Concat(wallClock, mockTimers, loud)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				assert.False(t, inLibrary && !f.test, "%s: a go statement; goroutines are started through conc, by who waits for them", fset.Position(n.Pos()))
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "panic" && inLibrary && !f.test && !slices.Contains(panics, f.path) {
					t.Errorf("%s: the library does not panic", fset.Position(n.Pos()))
				}
				sel, ok := n.Fun.(*ast.SelectorExpr)
				if !ok {
					break
				}
				pkg := ""
				if x, ok := sel.X.(*ast.Ident); ok {
					pkg = x.Name
				}
				for _, b := range bans {
					if b.fun == "Gosched" && slices.Contains(gives, f.path) {
						continue
					}
					if b.fun == sel.Sel.Name && (b.pkg == pkg || b.pkg == "" && !imports(f.ast, pkg)) {
						t.Errorf("%s: %s.%s: %s", fset.Position(n.Pos()), pkg, b.fun, b.why)
					}
				}
			}
			return true
		})
	}
}

// imports reports whether name is a package in f.
func imports(f *ast.File, name string) bool {
	for _, imp := range f.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		if imp.Name != nil && imp.Name.Name == name || imp.Name == nil && path[strings.LastIndex(path, "/")+1:] == name {
			return true
		}
	}
	return false
}
