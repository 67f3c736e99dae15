package sinks_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/penstock-go/penstock/sinks"
)

// A file a day or 100 MiB, two weeks of them, compressed; at most a second of
// lines is at risk if the machine crashes.
func ExampleFile() {
	dir, err := os.MkdirTemp("", "penstock")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	path := filepath.Join(dir, "audit", "audit.log")
	s, err := sinks.NewFile(sinks.FileConfig[string]{
		Path:        path,
		Encode:      func(dst []byte, ev string) ([]byte, error) { return append(append(dst, ev...), '\n'), nil },
		MaxSize:     100 << 20,
		RotateEvery: 24 * time.Hour,
		MaxAge:      14 * 24 * time.Hour,
		Compress:    true,
		Sync:        sinks.SyncInterval,
		SyncEvery:   time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Write(context.Background(), []string{"gate opened", "gate closed"}); err != nil {
		fmt.Println(err)
	}
	if err := s.Close(); err != nil {
		fmt.Println(err)
	}
	text, err := os.ReadFile(path)
	fmt.Print(string(text), err, "\n")
	// Output:
	// gate opened
	// gate closed
	// <nil>
}
