// Package madeup writes a data directory with a model that nobody trained, so that a
// server of any size can be measured within a minute: item factors with a given
// spread of norms, item-item neighbours, words, popularity, a blend of the four, and a catalogue
// of as many items, in the encodings that training writes and promoted as training does.
//
// What such a server recommends means nothing; what it costs does.
package madeup
