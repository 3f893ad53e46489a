// Package compat holds the contract tests of the ways in: trackers as their makers
// publish them, unmodified, send to a real "kindred serve", and what arrives is read
// out of its log. There is nothing in it but tests.
//
// The browser half drives headless Chromium over the DevTools protocol: pages of one
// origin, the tracker on another, so that preflights and CORS are the browser's own.
// Between browser and server stands a tap (tap_test.go) that records requests and can
// fail them.
//
// What the tests need beyond Go is installed by the scripts in deploy/services; where
// that is impossible they are skipped, and fail with CI=true.
package compat
