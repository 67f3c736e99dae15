package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/follow"
)

func sample() *Checkpoint {
	place := follow.Place{Path: "/var/log/app.log", Device: 1, Inode: 1 << 60, Offset: 99, Print: "ab", Modified: time.Unix(5, 7).UTC()}
	return &Checkpoint{
		Output: Output{Path: "/out", Device: 3, Inode: 4, Size: 1 << 40},
		Inputs: []follow.State{{Path: "/var/log/app.log", At: place, After: &place}, {Path: "b", At: place}},
	}
}

func TestACheckpointComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keep")
	if c, err := Load(path); c != nil || err != nil {
		t.Fatalf("%v, %v of a missing file", c, err)
	}
	for range 2 {
		if err := sample().Save(path); err != nil {
			t.Fatal(err)
		}
		if got, err := Load(path); err != nil || !reflect.DeepEqual(got, sample()) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDamage cuts a checkpoint at each byte, and changes each byte of it.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keep")
	if err := sample().Save(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(whole) - 2 {
		if _, err := unseal(whole[:i]); err == nil {
			t.Fatalf("cut at %d: no error", i)
		}
		changed := append([]byte(nil), whole...)
		changed[i] ^= 1
		if got, err := unseal(changed); err == nil && !reflect.DeepEqual(got, sample()) {
			t.Fatalf("changed at %d: %s: %+v", i, changed, got)
		}
	}
	for _, other := range []string{"", "{}", `{"v":2,"crc32c":0,"checkpoint":null}`, `{"v":1,"crc32c":0}`, "a log\n", `{"v":1,"crc32c":0,"checkpoint":{}}`} {
		if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		var damaged *DamagedError
		_, err := Load(path)
		if !errors.As(err, &damaged) || damaged.Path != path || damaged.Unwrap() == nil || !strings.HasPrefix(err.Error(), path+" is not a checkpoint") {
			t.Errorf("%s: %v", other, err)
		}
	}
}

func TestASaveThatFailsKeepsTheOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keep")
	if err := sample().Save(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".tmp", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := new(Checkpoint).Save(path); err == nil {
		t.Error("no error")
	}
	if got, err := Load(path); err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("%+v, %v", got, err)
	}
	odd := sample()
	odd.Inputs[1].At.Modified = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) // JSON has no such year
	if err := odd.Save(path); err == nil {
		t.Error("no error")
	}
	if err := os.Remove(path + ".tmp"); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(filepath.Dir(path), "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := sample().Save(folder); err == nil {
		t.Error("a folder was replaced")
	}
	if err := sample().Save(filepath.Join(path, "no", "such")); err == nil {
		t.Error("no error")
	}
	if _, err := Load(filepath.Dir(path)); err == nil {
		t.Error("a folder was read")
	}
}
