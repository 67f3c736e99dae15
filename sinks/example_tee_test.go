package sinks_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// One branch refuses an event, the other one takes all. Memory stands in for
// real sinks.
func ExampleTee() {
	picky, patient := &sinks.Memory[string]{}, &sinks.Memory[string]{}
	picky.Fail = func(int, []string) error {
		return &stage.PartialError{Failed: []int{1}, Err: errors.New("too long")}
	}
	s, err := sinks.Tee[string](picky, patient)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = s.Write(context.Background(), []string{"a", "bbbbbbbb", "c"})
	var partial *stage.PartialError
	fmt.Println(errors.As(err, &partial), partial.Failed)
	fmt.Println(picky.Events(), patient.Events())
	// Output:
	// true [1]
	// [a c] [a bbbbbbbb c]
}
