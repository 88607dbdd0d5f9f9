package tide

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
)

func TestHighest(t *testing.T) {
	text, err := os.ReadFile("cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Levels  []float64
		Highest float64
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatal(err, len(cases))
	}
	for _, one := range cases {
		if got, err := Highest(one.Levels); err != nil || got != one.Highest {
			t.Errorf("%v: got %v, %v", one.Levels, got, err)
		}
	}
}

func TestHighestOfNothingIsRefused(t *testing.T) {
	if _, err := Highest(nil); !errors.Is(err, ErrNone) {
		t.Errorf("got %v", err)
	}
}
