// Package blob is how models of this room become bytes: a Writer appends numbers,
// strings and slices in a fixed little-endian layout, and a Reader takes them back,
// checking every length against the bytes that are left before it allocates.
//
// The layout says nothing about itself: reader and writer must agree on the order
// of fields, which is why every encoding starts with a version (Open). Counts are
// minimal uvarints, numbers have their natural fixed width, floats are their IEEE
// 754 bits, so equal values have equal bytes.
//
// Invariant: for no input does a Reader panic, or allocate more than a small
// multiple of the input's length. The first error sticks; callers check Close once.
package blob
