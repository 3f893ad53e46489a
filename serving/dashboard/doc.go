// Package dashboard serves what people look at in a browser: the first page at
// "/", the API's documentation at "/docs" and evaluation reports at "/reports/".
// Everything is embedded in the binary, so a page needs no network but the
// server itself.
//
// The first page is a client of the public API like any other: it holds no
// data of its own and asks for a key when the server wants one.
//
// Assets written by other projects live in vendored/, each with its version,
// licence and checksum; there are no others in the repository.
package dashboard
