// Package queue keeps parcels in the order in which they came.
package queue

// A Queue holds the numbers of parcels. Its zero value is empty.
type Queue struct {
	waiting []int
	most    int
}

// New returns an empty queue that takes at most so many parcels; a number below one means no limit.
func New(most int) *Queue {
	return &Queue{most: most}
}

// Add puts a parcel at the end and reports whether there was room.
func (q *Queue) Add(parcel int) bool {
	if q.most > 0 && len(q.waiting) >= q.most {
		return false
	}
	q.waiting = append(q.waiting, parcel)
	return true
}

// Len returns how many parcels wait.
func (q *Queue) Len() int {
	return len(q.waiting)
}
