package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kindred/data"
)

const sampleDir = "sample/ml-latest-small"

// The checksums are those that came with the data set, of the uncompressed files.
func TestTheSampleIsTheOneThatWasPublished(t *testing.T) {
	for name, want := range map[string]string{
		"ratings.csv.xz": "aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646",
		"movies.csv.xz":  "5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07",
		"tags.csv.xz":    "92a9f8bb7916dceef6151209845788c3643f794dfa79d1feaec7121b5960399d",
		"links.csv.xz":   "97ad18e4e56a09363c65676b6cb3482ce3e2cea2372a24620c1599c843325f31",
		"README.txt":     "63d22ac138e80fae37021797ed8e1b9424b5239dc576a137422adf783ae3f404",
	} {
		f, err := os.Open(filepath.Join(sampleDir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		plain, err := decompress(f, name)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		if _, err := io.Copy(h, plain); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s has SHA-256 %s, want %s", name, got, want)
		}
	}
}

func TestTheSampleReadsAsItsReadmeSays(t *testing.T) {
	ds, err := Read(t.Context(), "movielens", Options{Path: sampleDir})
	if err != nil {
		t.Fatal(err)
	}
	if ds.Name != "ml-latest-small" || len(ds.Users) != 610 || len(ds.Items) != 9742 || len(ds.Interactions) != 100836 || ds.MissingTimes != 0 {
		t.Errorf("%s: %d people, %d items, %d ratings, %d without time; want 610, 9742, 100836, 0",
			ds.Name, len(ds.Users), len(ds.Items), len(ds.Interactions), ds.MissingTimes)
	}
	i := slices.IndexFunc(ds.Items, func(it data.Item) bool { return it.ID == "1" })
	toyStory := ds.Items[i]
	if toyStory.Title != "Toy Story (1995)" || !slices.Equal(toyStory.Tags, []string{"pixar", "fun"}) ||
		len(toyStory.Categories) != 5 || toyStory.URL != "https://www.imdb.com/title/tt0114709/" {
		t.Errorf("Toy Story reads as %+v", toyStory)
	}
}
