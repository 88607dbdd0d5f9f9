// Package parcel says what it costs to send a parcel.
package parcel

import (
	"errors"
	"strings"
	"time"
)

// Postage returns the price of a parcel in euros. A parcel of at most 2000 grams costs 5, one of at most 5000 grams 9,
// and every other one 16.
//
//	Postage(1500) == 5
//	Postage(2000) == 5
//	Postage(4000) == 9
func Postage(grams int) int {
	if grams < 2000 {
		return 5
	}
	if grams <= 5000 {
		return 9
	}
	return 16
}

// Label returns the line that is printed on a parcel. Name and town must not be empty.
//
//	Label("Ada", "Turin") // => "ADA, TURIN"
func Label(name, town string) (string, error) {
	if name == "" || town == "" {
		return "", errors.New("a label needs a name and a town")
	}
	return strings.ToUpper(name + ", " + town), nil
}

// Split divides a weight into parcels of at most the given weight, the full ones first.
func Split(grams, most int) []int {
	parcels := []int{}
	for most > 0 && grams > 0 {
		next := grams
		if next > most {
			next = most
		}
		parcels = append(parcels, next)
		grams -= next
	}
	return parcels
}

// Volume is the volume of a box in litres.
func Volume(length, width, height int) int {
	return length * width * height
}

// Same reports whether two marks are the same.
//
//	Same(3, 3) == true
//	Same(3, "three") == false
func Same[T comparable](one, other T) bool {
	return one == other
}

// Zone returns the time zone in which the counter is open.
//
//	Zone() == "UTC"
func Zone() string {
	name, _ := time.Unix(0, 0).Zone()
	return name
}
