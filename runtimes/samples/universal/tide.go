// Package tide is one rule in three languages, proved by the same cases.
package tide

import (
	"errors"
	"slices"
)

// ErrNone says that there is no level at all.
var ErrNone = errors.New("no levels")

// Highest is the highest level, or ErrNone.
func Highest(levels []float64) (float64, error) {
	if len(levels) == 0 {
		return 0, ErrNone
	}
	return slices.Max(levels), nil
}
