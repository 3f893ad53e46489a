// Package crowdtest makes the log of a busy shop: people who come in visits, look at
// things, put some into a cart and buy a few. Benchmarks and long tests fold it.
//
// Who comes and what they look at follow a Zipf–Mandelbrot law, P(k) ∝ 1/(k+q)^s:
// q = 1 and s = 1 is Zipf's, where the first of 200,000 people sends 8 % of all events;
// a larger q flattens the head. A visit is a few events some minutes apart; many visits
// go on at once. One event in 200 is delivered twice, one in 100 arrives late.
//
// Invariant: a crowd is a pure function of its Config. It is not safe for concurrent use.
package crowdtest
