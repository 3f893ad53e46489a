package load

import (
	"encoding/json"
	"fmt"
)

// check reads a whole list of recommendations as a careful client would, and says
// what is wrong with it. It costs more than the request, so it is asked for by Config.Check.
func check(body []byte, person string, n int) error {
	var list struct {
		User  string `json:"user"`
		Items []struct {
			ID       string `json:"id"`
			Position int    `json:"position"`
		} `json:"items"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return err
	}
	switch {
	case list.User != person:
		return fmt.Errorf("asked for %q, the answer is about %q", person, list.User)
	case len(list.Items) > n:
		return fmt.Errorf("asked for %d items, got %d", n, len(list.Items))
	}
	met := map[string]bool{}
	for i, it := range list.Items {
		switch {
		case it.ID == "" || met[it.ID]:
			return fmt.Errorf("item %d is %q, which is empty or not the first of its name", i+1, it.ID)
		case it.Position != i+1:
			return fmt.Errorf("item %d has position %d", i+1, it.Position)
		}
		met[it.ID] = true
	}
	return nil
}
