package logging

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever the JSON, what is left is what a walk through its tree would leave.
func TestConcealedJSONIsTheTreeWithoutSecrets(t *testing.T) {
	hidden := secrets{"token", "pa\"ss"}
	rapid.Check(t, func(t *rapid.T) {
		tree := drawTree(t, 0)
		text, err := json.Marshal(tree)
		require.NoError(t, err)
		got, found := hidden.conceal(string(text))
		want, err := json.Marshal(pruned(tree, hidden))
		require.NoError(t, err)
		require.JSONEq(t, string(want), got)
		require.Equal(t, got != string(text), found)
	})
}

func drawTree(t *rapid.T, depth int) any {
	text := rapid.SampledFrom([]string{"", "token", "TOKEN", "pa\"ss", "a", "{", "}]", "\\", "\"", "\":", "é\u2028", "tokens"})
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth > 3 {
		kind %= 5
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Float64Range(-1e9, 1e9).Draw(t, "number")
	case 3, 4:
		return text.Draw(t, "text")
	case 5:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, drawTree(t, depth+1))
		}
		return list
	}
	m := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		m[text.Draw(t, "key")] = drawTree(t, depth+1)
	}
	return m
}

func pruned(tree any, hidden secrets) any {
	switch x := tree.(type) {
	case []any:
		list := []any{}
		for _, v := range x {
			list = append(list, pruned(v, hidden))
		}
		return list
	case map[string]any:
		m := map[string]any{}
		for k, v := range x {
			m[k] = pruned(v, hidden)
			if hidden.have(k) {
				m[k] = Redacted
			}
		}
		return m
	}
	return tree
}

// wallet has fields that JSON does not have, or calls something else.
type wallet struct {
	Owner string
	Token string `json:"-"`
	token string
	Deep  struct{ password string }
}

// sealed says what it wants to.
type sealed struct{ Token string }

func (sealed) String() string { return "sealed" }

func TestSecretMembersInEachForm(t *testing.T) {
	hidden := wallet{Owner: "ada", Token: hunter, token: hunter}
	hidden.Deep.password = hunter
	for _, c := range []struct {
		v          any
		json, text string
	}{
		{login{"ada", hunter}, `{"User":"ada","password":"[redacted]"}`, `{"User":"ada","password":"[redacted]"}`},
		{hidden, `{"Owner":"ada","Deep":{}}`, `{"Owner":"ada","Deep":{}}`},
		{map[string]string{"a": "token or token: x"}, `{"a":"token or token: x"}`, `{"a":"token or token: x"}`},
		{[]string{"token or token"}, `["token or token"]`, `[token or token]`},
		{point{X: 1}, `{"X":1,"In":null}`, `{X:1 S: In:<nil>}`},
		{sealed{hunter}, `{"Token":"[redacted]"}`, `{"Token":"[redacted]"}`},
		{map[string]int{"a": 1}, `{"a":1}`, `map[a:1]`},
		{fmt.Errorf("bad token: %d", 7), `"bad token: 7"`, `bad token: 7`},
		{json.RawMessage(`{"a":[1,{"token":{"x":[1]},"b":2}]}`), `{"a":[1,{"token":"[redacted]","b":2}]}`, `{"a":[1,{"token":"[redacted]","b":2}]}`},
		{[]byte("token: x"), `"dG9rZW46IHg="`, `token: x`},
		{struct {
			C     chan int
			Token string
		}{nil, hunter}, `"!ERROR:json: unsupported type: chan int"`, `!ERROR:json: unsupported type: chan int`},
	} {
		for _, forms := range []Forms{FormJSON, FormText, FormJSON | FormText, FormJSON | FormErrors} {
			r := record(t, HandlerConfig{Forms: forms, Redact: []string{"password", "token"}}, func(l *slog.Logger) { l.Info("m", "v", c.v) })
			v := r.Attrs()[0].Value.Any().(*Rendered)
			if forms&FormJSON != 0 {
				require.Equal(t, c.json, string(v.appendJSON(nil)))
			}
			if forms&FormText != 0 {
				require.Equal(t, c.text, v.String())
			}
			require.Equal(t, forms&FormJSON, v.forms&FormJSON)
			require.NotContains(t, fmt.Sprintf("%+v", *v), hunter, "nowhere")
		}
	}
}

// What was rendered before is shared, and stays as it was.
func TestSecretsInWhatWasRenderedBefore(t *testing.T) {
	before := Render(login{"ada", hunter}, FormJSON|FormText)
	r := record(t, HandlerConfig{Redact: []string{"password"}}, func(l *slog.Logger) { l.Info("m", "v", before) })
	require.NotSame(t, before, r.Attrs()[0].Value.Any())
	require.True(t, strings.Contains(before.String(), hunter))
}
