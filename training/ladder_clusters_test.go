package training

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kindred/model/cluster"
)

// small is four wholesale customers, three times.
const smallWholesale = `CustomerID,Channel,Region,Fresh,Milk,Grocery,Frozen,Detergents_Paper,Delicassen
1,2,3,12669,9656,7561,214,2674,1338
2,2,3,7057,9810,9568,1762,3293,1776
3,1,1,6353,88,76,2405,35,78
4,1,1,13265,11,42,6404,5,17
`

func TestAClusterCaseIsMetOrNot(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "seg-wholesale"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "seg-wholesale", "wholesale_customers.csv"), []byte(smallWholesale), 0o600); err != nil {
		t.Fatal(err)
	}
	c := ClusterLadder()[0]
	c.Columns = []string{"milk"} // ln: 9.18 9.19 4.49 2.48
	c.LogLikelihood = nil
	c.Config.Starts = 2
	for want, passed := range map[float64]bool{.233: true, .2: false} {
		c.Inertia = map[int]float64{2: want}
		rows, err := c.Run(t.Context(), dir, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		got, err := WriteClusterRows(&out, c, rows)
		if err != nil {
			t.Fatal(err)
		}
		if got != passed || len(rows) != 1 || rows[0].Method != cluster.KMeansMethod || strings.Contains(out.String(), "TOO BAD") == passed {
			t.Errorf("reference %v: passed %v\n%s", want, got, out.String())
		}
	}
	c.Columns = []string{"delicatessen"}
	if _, err := c.Run(t.Context(), dir, time.Now); err == nil || !strings.Contains(err.Error(), "delicassen") {
		t.Errorf("a column that is not there: %v", err)
	}
}
