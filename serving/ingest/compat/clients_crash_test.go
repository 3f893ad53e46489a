package compat

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestAServerKilledWhileClientsSendLosesAndRepeatsNothing kills the server with SIGKILL
// while requests of an unmodified client are on their way, at random points, and starts it
// again before the client's retry window ends (see clients). Afterwards the state that was
// folded from the log holds every view exactly once, although the log may hold what was
// sent again twice. KILLS says how often (3; the issue asks for 20), SEED where.
func TestAServerKilledWhileClientsSendLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	kills, seed := setting(t, "KILLS", 3), setting(t, "SEED", 1)
	eachClient(t, func(t *testing.T, c client) {
		const views = 40 // a round: several requests
		h := fnv.New64a()
		h.Write([]byte(c.name))
		random := rand.New(rand.NewPCG(uint64(seed), h.Sum64()))
		s := serve(t, "--addr", reserve(t, random))
		a := c.run(t, "views", s.base, "shop")
		made := 0
		for range kills {
			made += views
			a.view(views)
			for range 1 + random.IntN(4) {
				a.until("> ")
			}
			time.Sleep(time.Duration(random.Int64N(int64(4 * time.Millisecond)))) // before, in or after the write
			down := time.Now()
			s.kill()
			time.Sleep(time.Duration(random.Int64N(int64(400 * time.Millisecond))))
			s.start()
			if outage := time.Since(down); outage >= c.window {
				t.Fatalf("the server was down for %v; %s gives up after %v, so the test says nothing", outage, c.name, c.window)
			}
			a.until(fmt.Sprintf("= %d", made))
		}
		if len(a.lost) > 0 {
			t.Errorf("the client gave up: %v", a.lost)
		}
		inLog := s.events("shop")
		if n := len(distinct(inLog)); n != int(made) {
			t.Errorf("the log holds %d message ids, want %d", n, made)
		}
		once := map[string]int{}
		for user, items := range s.uses() {
			for item, count := range items {
				once[user+" "+item] = count
			}
		}
		for i := range int(made) {
			pair := fmt.Sprintf("u-%d item-%d", i%10, i/10)
			if once[pair] != 1 {
				t.Errorf("%s is counted %d times, want once", pair, once[pair])
			}
			delete(once, pair)
		}
		if len(once) > 0 {
			t.Errorf("the state holds what nobody did: %v", once)
		}
		if out := s.command("replay", "--verify"); strings.Contains(out, "DIFFERENT") {
			t.Error(out)
		}
		t.Logf("%d kills, %d views in %d requests; %d records in the log", kills, made, a.asked, len(inLog))
	})
}

// reserve is an address on loopback that nothing listens on, to start on again and again.
// Its port is below those that the system gives to others, and to clients, by itself.
func reserve(t *testing.T, random *rand.Rand) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 12_000+random.IntN(18_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// uses are how often each user used each item, by the profiles of a server that has stopped.
func (s *server) uses() map[string]map[string]int {
	t := s.t
	t.Helper()
	uses := map[string]map[string]int{}
	lines := bufio.NewScanner(strings.NewReader(s.command("export", "--what", "profiles")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p struct {
			Users   []string
			History []struct {
				Item  string
				Count int
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		for _, user := range p.Users {
			if uses[user] != nil {
				t.Errorf("%s has two profiles", user)
			}
			uses[user] = map[string]int{}
			for _, h := range p.History {
				uses[user][h.Item] = h.Count
			}
		}
	}
	return uses
}

// command runs kindred on the data directory of a server that has stopped.
func (s *server) command(name string, args ...string) string {
	s.t.Helper()
	path, err := program()
	if err != nil {
		s.t.Fatal(err)
	}
	var said strings.Builder
	cmd := exec.Command(path, append([]string{name, "--data", s.dir}, args...)...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("kindred %s: %v\n%s", name, err, said.String())
	}
	return string(out)
}

// setting is a number in the environment, or the default.
func setting(t *testing.T, name string, standard int64) int64 {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return standard
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		t.Fatalf("%s is %q; use a whole number", name, v)
	}
	return n
}
