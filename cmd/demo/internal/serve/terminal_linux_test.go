package serve

import (
	"fmt"
	"html"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watch runs the command on a terminal until the terminal shows a text, and
// returns a page that shows what it does then.
func watch(t *testing.T, binary string, args []string, until string) (page string) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	fd := int(control.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100})
	}
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = tty, tty
	cmd.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=")
	err = cmd.Start()
	tty.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	// The read below ends when the command does, at the latest.
	kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	var s screen
	buf := make([]byte, 64<<10)
	for {
		n, err := control.Read(buf)
		if err != nil {
			t.Fatalf("never saw %q: %v", until, err)
		}
		s.write(string(buf[:n]))
		if s.row == len(s.lines) && strings.Contains(colour.ReplaceAllString(strings.Join(s.lines, "\n"), ""), until) {
			return s.page("$ demo " + strings.Join(args, " "))
		}
	}
}

// screen is as much of a terminal as the demo makes use of. Lines keep their
// colours.
type screen struct {
	lines []string
	row   int
	rest  string // of a line that is not yet complete
}

func (s *screen) write(text string) {
	text = s.rest + strings.ReplaceAll(text, "\r", "")
	for {
		line, after, complete := strings.Cut(text, "\n")
		if !complete {
			s.rest = text
			return
		}
		text = after
		if up, other, ok := strings.Cut(strings.TrimPrefix(line, "\x1b["), "A"); ok && strings.HasPrefix(line, "\x1b[") {
			if n, err := strconv.Atoi(up); err == nil {
				s.row, line = max(s.row-n, 0), other
			}
		}
		line = strings.TrimSuffix(line, "\x1b[K")
		if s.row == len(s.lines) {
			s.lines = append(s.lines, "")
		}
		s.lines[s.row] = line
		s.row++
	}
}

var colour = regexp.MustCompile("\x1b\\[[0-9]*m")

var spans = strings.NewReplacer("\x1b[31m", `<i class="red">`, "\x1b[32m", `<i class="green">`, "\x1b[33m", `<i class="yellow">`, "\x1b[2m", `<i class="faint">`, "\x1b[0m", "</i>")

func (s *screen) page(prompt string) string {
	text := spans.Replace(html.EscapeString(strings.Join(append([]string{prompt}, s.lines...), "\n")))
	return fmt.Sprintf(`<!doctype html><meta charset="utf-8"><title>demo</title><style>
body { margin: 0; background: #14191e; color: #dfe6ec; font: 14px/1.4 "DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace; }
pre { font: inherit; margin: 16px 20px; }
i { font-style: normal; } .red { color: #ff7f8a; } .green { color: #5bd6a0; } .yellow { color: #f0c04e; } .faint { color: #8e9aa6; }
</style><pre>%s</pre>`, text)
}
