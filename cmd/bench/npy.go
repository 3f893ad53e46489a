package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unsafe"
)

// number is what an array file holds.
type number interface {
	float32 | float64 | int32 | int64
}

// dtype is numpy's name of T, little-endian.
func dtype[T number]() string {
	switch any(*new(T)).(type) {
	case float32:
		return "<f4"
	case float64:
		return "<f8"
	case int32:
		return "<i4"
	}
	return "<i8"
}

// npyMagic begins version 1.0 of numpy's array format.
const npyMagic = "\x93NUMPY\x01\x00"

// writeNPY writes a row-major array of the shape as numpy.load reads it.
func writeNPY[T number](path string, values []T, shape ...int) (err error) {
	size, dims := 1, make([]string, len(shape))
	for i, n := range shape {
		size *= n
		dims[i] = strconv.Itoa(n)
	}
	if size != len(values) {
		return fmt.Errorf("write %s: %d values do not fill shape %v", path, len(values), shape)
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }", dtype[T](), strings.Join(dims, ", "))
	// The values begin at a multiple of 64.
	pad := 63 - (len(npyMagic)+2+len(header))%64
	header += strings.Repeat(" ", pad) + "\n"
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	w.WriteString(npyMagic)
	w.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	w.WriteString(header)
	w.Write(bytesOf(values))
	return w.Flush()
}

var npyHeader = regexp.MustCompile(`'descr': '([^']+)', 'fortran_order': False, 'shape': \(([0-9, ]+)\)`)

// readNPY reads what writeNPY or numpy.save wrote.
func readNPY[T number](path string) (values []T, shape []int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	start := make([]byte, len(npyMagic)+2)
	if _, err := io.ReadFull(f, start); err != nil || !bytes.HasPrefix(start, []byte(npyMagic)) {
		return nil, nil, fmt.Errorf("read %s: not version 1.0 of numpy's format", path)
	}
	header := make([]byte, binary.LittleEndian.Uint16(start[len(npyMagic):]))
	if _, err := io.ReadFull(f, header); err != nil {
		return nil, nil, fmt.Errorf("read %s: header: %w", path, err)
	}
	found := npyHeader.FindSubmatch(header)
	if found == nil || string(found[1]) != dtype[T]() {
		return nil, nil, fmt.Errorf("read %s: header %q; want %s, row-major", path, header, dtype[T]())
	}
	size := 1
	for _, d := range strings.Split(string(found[2]), ",") {
		if d = strings.TrimSpace(d); d == "" {
			continue
		}
		n, err := strconv.Atoi(d)
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: shape %q", path, found[2])
		}
		shape, size = append(shape, n), size*n
	}
	values = make([]T, size)
	if _, err := io.ReadFull(f, bytesOf(values)); err != nil {
		return nil, nil, fmt.Errorf("read %s: values: %w", path, err)
	}
	return values, shape, nil
}

// bytesOf are the values' bytes, in the machine's order, which is little-endian on
// everything that this program is built for.
func bytesOf[T number](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*int(unsafe.Sizeof(values[0])))
}
