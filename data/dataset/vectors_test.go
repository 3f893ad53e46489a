package dataset_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data/dataset"
)

func TestPeopleAreReadAsNumbers(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("CDNOW_master.txt", " customer_id  date number_of_cds  dollar_value\n 00002 19980101  1   12.00\n 00001 19970101  1   11.77\n 00002 19980629  5   77.00\n")
	v, err := dataset.ReadVectors(t.Context(), "cdnow", dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{545, 1, 11.77, 1, 2, 89}, v.X); diff != "" || v.Rows() != 2 {
		t.Errorf("recency, frequency, dollars (-want +got):\n%s", diff)
	}
	write("wholesale_customers.csv", "CustomerID,Channel,Region,Fresh,Milk,Grocery,Frozen,Detergents_Paper,Delicassen\n101,2,3,12669,9656,7561,214,2674,1338\n")
	if v, err = dataset.ReadVectors(t.Context(), "wholesale", dir); err != nil {
		t.Fatal(err)
	}
	if v, err = v.Only("region", "delicassen"); err != nil || cmp.Diff([]float64{3, 1338}, v.X) != "" {
		t.Errorf("region and delicassen: %v, %v", v, err)
	}
	for _, bad := range []string{"h\n", "h\n1,2\n", "h\n1,2,3,x,5,6,7,8,9\n"} {
		write("wholesale_customers.csv", bad)
		if _, err := dataset.ReadVectors(t.Context(), "wholesale", dir); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, err := dataset.ReadVectors(t.Context(), "iris", dir); err == nil {
		t.Error("a set that there is not was accepted")
	}
}
