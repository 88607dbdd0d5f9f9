package tide

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

func TestHighestIsTheLargestLevel(t *testing.T) {
	if top, err := Highest([]float64{0.4, 2.1, 1.7}); err != nil || top != 2.1 {
		t.Errorf("got %v, %v", top, err)
	}
}

func TestHighestOfNothingIsRefused(t *testing.T) {
	if _, err := Highest(nil); !errors.Is(err, ErrNone) {
		t.Errorf("got %v", err)
	}
}

func TestNextHighWaterCrossesIntoSummerTime(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	next := NextHighWater(time.Date(2024, 3, 30, 18, 0, 0, 0, time.UTC), zone)
	if got := next.Format(time.RFC3339); got != "2024-03-31T08:25:00+02:00" {
		t.Errorf("got %s", got)
	}
}

func TestNobodySpecialNothingWritableOutsideNoNetwork(t *testing.T) {
	if os.Getuid() != 10001 {
		t.Errorf("user %d", os.Getuid())
	}
	if err := os.WriteFile("/opt/gocache/planted", []byte("x"), 0o600); err == nil {
		t.Error("the image can be written")
	}
	if _, err := net.DialTimeout("tcp", "192.0.2.1:80", time.Second); err == nil {
		t.Error("there is a network")
	}
}
