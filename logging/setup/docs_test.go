package setup

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The document has a row for each field, under the heading of its struct, and
// for each figure of Stats.
func TestEveryFieldIsExplained(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "logging.md"))
	require.NoError(t, err)
	for heading, of := range map[string]reflect.Type{
		"Config": reflect.TypeFor[Config](), "Output": reflect.TypeFor[Output](), "Target": reflect.TypeFor[Target](),
	} {
		section := sectionOf(t, string(text), "### "+heading)
		for _, f := range reflect.VisibleFields(of) {
			require.Contains(t, section, "| `"+f.Name+"` |", "%s of %s", f.Name, heading)
		}
	}
	section := sectionOf(t, string(text), "### Books")
	for _, of := range []reflect.Type{reflect.TypeFor[Stats](), reflect.TypeFor[OutputStats]()} {
		for _, f := range reflect.VisibleFields(of) {
			require.Contains(t, section, "| `"+f.Tag.Get("json")+"` |", f.Name)
		}
	}
	for _, name := range formatNames {
		require.Contains(t, string(text), "`"+name+"`")
	}
}

// sectionOf returns what stands between a heading and the next one.
func sectionOf(t *testing.T, page, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n"+heading+"\n")
	require.True(t, found, heading)
	section, _, _ := strings.Cut(rest, "\n#")
	return section
}
