package features_test

import (
	"context"
	"fmt"
	"time"

	"kindred/data"
	"kindred/features"
)

// A fold without stores: what training does with the lake's events.
func ExampleBuilder_Fold() {
	builder := features.NewBuilder(features.Default())
	memory := features.NewMemory(0, features.State{}, nil, nil)
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	ann := data.NewProfileID(data.IDUser, "ann")
	for i, name := range []string{"Product Viewed", "Product Added", "Product Viewed"} {
		at := noon.Add(time.Duration(i) * time.Minute)
		outcome, err := builder.Fold(context.Background(), memory, int64(i), data.Event{
			V: 1, ID: fmt.Sprint("m", i%2), Source: "web", Type: data.Track, Name: name, Profile: ann,
			IDs: data.IDs{User: "ann"}, Times: data.Times{Event: at, Received: at}, Items: []data.EventItem{{ID: "lamp"}},
		})
		fmt.Println(name, outcome, err)
	}
	p, known, _ := memory.Profile(context.Background(), ann)
	fmt.Println(known, features.Preferences(p, features.DefaultWeights()))
	// Output:
	// Product Viewed applied <nil>
	// Product Added applied <nil>
	// Product Viewed duplicate <nil>
	// true [{lamp 6}]
}
