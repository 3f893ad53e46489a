// Package content turns what an item says about itself into tokens for TF-IDF
// (package model/content): words of title and text, and its tags, categories and
// brand as whole values.
//
// Words are runs of letters, digits and marks, in lower case; English stop words are dropped and English
// words reduced to their stem (Porter2: Porter, "The English (Porter2) stemming algorithm", 2002). Words
// with a letter outside a to z or a digit are kept as they are. Scripts that put no spaces between
// words (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) give overlapping pairs
// of characters instead, the usual stand-in for a dictionary. Facets keep their value whole behind a
// prefix, "tag:time travel", so that a tag and a word of the same spelling stay apart.
//
// Invariant: tokens are a function of the item and the configuration, in the order
// they occur, with repetition; serving and training use the same configuration, or
// new items would be described in another language than old ones.
package content
