// Package tide is a few lines of real code, so that an image is proved by running some.
package tide

import (
	"errors"
	"time"

	"example.org/sample/level"
)

// ErrNone says that there is no level at all.
var ErrNone = errors.New("no levels")

// Highest is the highest level, or ErrNone.
func Highest(levels []float64) (float64, error) {
	if len(levels) == 0 {
		return 0, ErrNone
	}
	top := levels[0]
	for _, one := range levels[1:] {
		top = level.Higher(top, one)
	}
	return top, nil
}

// NextHighWater follows last by 12 hours 25 minutes, in the zone's local time.
func NextHighWater(last time.Time, zone *time.Location) time.Time {
	return last.Add(12*time.Hour + 25*time.Minute).In(zone)
}
