package parcel

import (
	"fmt"
	"testing"
)

func TestPostage(t *testing.T) {
	if Postage(9000) != 16 {
		t.Error("a heavy parcel costs 16")
	}
}

func ExampleSplit() {
	fmt.Println(Split(50, 20))
	// Output: [20 20 10]
}
