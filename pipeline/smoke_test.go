package pipeline

import (
	"context"
	"testing"
	"fmt"
	"github.com/penstock-go/penstock/stage"
)

func TestSmoke(t *testing.T) {
	n := 0
	sink := stage.SinkFunc[int](func(ctx context.Context, evs []int) error {
		for _, e := range evs { if e != n { t.Errorf("got %d want %d", e, n) }; n++ }
		return nil
	})
	p, err := New[int](sink, Config[int]{})
	if err != nil { t.Fatal(err) }
	for i := range 100000 {
		if err := p.EnqueueWait(context.Background(), i); err != nil { t.Fatal(err) }
	}
	if err := p.Flush(context.Background()); err != nil { t.Fatal(err) }
	fmt.Printf("%+v\n", p.Stats())
	if err := p.Close(context.Background()); err != nil { t.Fatal(err) }
	fmt.Printf("%+v\n", p.Stats())
	if n != 100000 { t.Fatal(n) }
}
func BenchmarkE(b *testing.B) {
	sink := stage.SinkFunc[[16]int64](func(ctx context.Context, evs [][16]int64) error { return nil })
	p, _ := New[[16]int64](sink, Config[[16]int64]{})
	b.ReportAllocs()
	var ev [16]int64
	ctx := context.Background()
	for b.Loop() { p.EnqueueWait(ctx, ev) }
	p.Close(ctx)
}
