package embedded_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"kindred/data"
	"kindred/data/embedded"
)

// An owner of a partition reads the log from its cursor and saves what it folded
// together with the new cursor.
func ExampleStore() {
	dir, err := os.MkdirTemp("", "kindred")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	s, err := embedded.Open(dir, embedded.Options{})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	ctx := context.Background()

	ann := data.NewProfileID(data.IDUser, "ann")
	p := data.PartitionOf(string(ann), s.Partitions())
	if err := s.Append(ctx, []data.Record{{Partition: p, Value: []byte("viewed")}, {Partition: p, Value: []byte("bought")}}); err != nil {
		panic(err) // not acknowledged
	}

	cursor, _, _ := s.Load(ctx, p)
	recs, _ := s.Read(ctx, p, cursor, 100)
	profile := ""
	for _, r := range recs {
		profile += string(r.Value) + " "
	}
	err = s.Save(ctx, p, cursor, &data.Commit{
		Cursor:   cursor + int64(len(recs)),
		Profiles: map[data.ProfileID][]byte{ann: []byte(profile)},
	})
	got, _ := s.Profile(ctx, ann)
	fmt.Printf("%s%v\n", got, err)

	err = s.Save(ctx, p, cursor, &data.Commit{Cursor: cursor + 1}) // a zombie with the old cursor
	fmt.Println(err != nil)
	// Output:
	// viewed bought <nil>
	// true
}

// A promotion shows its lease, so that a trainer that lost it changes nothing.
func ExampleCatalog() {
	dir, err := os.MkdirTemp("", "kindred")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	c, err := embedded.OpenCatalog(dir, data.DefaultSpace)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	ctx := context.Background()

	lease, ok, _ := c.AcquireLease(ctx, "train", "host/1", time.Minute)
	fmt.Println(ok)
	for _, v := range []string{"m-1", "m-2"} {
		if err := c.PutModel(ctx, data.Model{Version: v, Artifact: v}); err != nil {
			panic(err)
		}
	}
	fmt.Println(c.PromoteFenced(ctx, "m-1", lease), c.Promote(ctx, "m-2"))
	back, _ := c.Rollback(ctx)
	fmt.Println(back.Version)
	// Output:
	// true
	// <nil> <nil>
	// m-1
}
