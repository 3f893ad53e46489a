package training

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"text/tabwriter"
	"time"

	"kindred/data/dataset"
	"kindred/model/cluster"
	"kindred/training/evaluate"
)

// ClusterCase is ladder case D6 for one set: the optimum that k-means and the mixture come
// to, beside what scikit-learn 1.2.1 came to (30 starts and 5, regularisation 1e-6).
type ClusterCase struct {
	Name, Title, Set, Dir string
	Columns               []string
	Inertia, Silhouette   map[int]float64 // by k
	LogLikelihood         map[int]float64
	Config                cluster.Config
}

// ClusterRow is one k of a ClusterCase.
type ClusterRow struct {
	Method              cluster.Method
	K                   int
	Reference, Measured float64 // the inertia, or the mean log-likelihood
	Silhouette          float64 // of k-means
	Seconds             float64
	Passed              bool
}

// ClusterLadder is D6. The table's figures of the wholesale customers are those of region and the first
// five spend columns, as scikit-learn says of the file today (its id column puts the others one place
// further); the six spend columns have a case of their own, beside scikit-learn 1.9.1.
func ClusterLadder() []ClusterCase {
	cfg := cluster.Default()
	cfg.Starts = 30
	spend := []string{"fresh", "milk", "grocery", "frozen", "detergents_paper", "delicassen"}
	return []ClusterCase{{
		Name: "D6-wholesale", Title: "wholesale customers, region and five spend columns, ln(1 + x), z-scored", Set: "wholesale", Dir: "seg-wholesale",
		Columns:       append([]string{"region"}, spend[:5]...),
		Inertia:       map[int]float64{2: 1853.203, 3: 1576.898, 4: 1366.497, 5: 1229.844, 6: 1125.838, 8: 960.125},
		Silhouette:    map[int]float64{2: .2793, 3: .2789, 4: .2565, 5: .2127, 6: .2242, 8: .2228},
		LogLikelihood: map[int]float64{2: -7.0545, 3: -2.4806, 4: -.9364}, Config: cfg,
	}, {
		Name: "D6-wholesale-spend", Title: "wholesale customers, six spend columns, ln(1 + x), z-scored", Set: "wholesale", Dir: "seg-wholesale", Columns: spend,
		Inertia:       map[int]float64{2: 1844.064, 3: 1553.340, 4: 1386.863, 5: 1266.149, 6: 1174.177, 8: 1022.890},
		LogLikelihood: map[int]float64{2: -6.9314, 3: -6.5497, 4: -6.4054}, Config: cfg,
	}, {
		Name: "D6-cdnow", Title: "CDNOW, recency, frequency and dollars, ln(1 + x), z-scored", Set: "cdnow", Dir: "seg-cdnow",
		Columns:       []string{"recency", "frequency", "monetary"},
		Inertia:       map[int]float64{3: 19922.142, 4: 16092.903, 5: 13324.858, 6: 11377.674},
		Silhouette:    map[int]float64{3: .47, 4: .39, 5: .39, 6: .38},
		LogLikelihood: map[int]float64{3: 1.2238, 4: 2.1130, 5: 2.1357, 6: 2.1476}, Config: cfg,
	}}
}

// inertiaShare and likelihoodSlack are how far from the reference a value may be.
const inertiaShare, likelihoodSlack = .001, .001

// mixtureStarts is as many as the references had.
const mixtureStarts = 5

// Run fits every k of the case. A value that is too bad is not an error: see ClusterRow.Passed.
func (c ClusterCase) Run(ctx context.Context, dir string, clock func() time.Time) ([]ClusterRow, error) {
	v, err := dataset.ReadVectors(ctx, c.Set, filepath.Join(dir, c.Dir))
	if err != nil {
		return nil, fmt.Errorf("ladder case %s: %w", c.Name, err)
	}
	if v, err = v.Only(c.Columns...); err != nil {
		return nil, fmt.Errorf("ladder case %s: %w", c.Name, err)
	}
	z, err := Standardised(v)
	if err != nil {
		return nil, fmt.Errorf("ladder case %s: %w", c.Name, err)
	}
	var rows []ClusterRow
	for k := 2; k <= 8; k++ {
		cfg := c.Config
		cfg.K = k
		if want, ok := c.Inertia[k]; ok {
			row, err := inertiaRow(ctx, z, len(v.Columns), cfg, want, clock)
			if err != nil {
				return nil, fmt.Errorf("ladder case %s: k = %d: %w", c.Name, k, err)
			}
			rows = append(rows, row)
		}
		if want, ok := c.LogLikelihood[k]; ok {
			cfg.Starts = min(cfg.Starts, mixtureStarts)
			meter := evaluate.Start(clock)
			r, err := cluster.FitMixture(ctx, z, len(v.Columns), cfg, nil)
			if err != nil {
				return nil, fmt.Errorf("ladder case %s: k = %d: %w", c.Name, k, err)
			}
			row := ClusterRow{Method: cluster.MixtureMethod, K: k, Reference: want, Measured: r.LogLikelihood}
			row.Seconds, _ = meter.Stop()
			row.Passed = r.LogLikelihood >= want-likelihoodSlack
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func inertiaRow(ctx context.Context, z []float64, dims int, cfg cluster.Config, want float64, clock func() time.Time) (ClusterRow, error) {
	meter := evaluate.Start(clock)
	r, err := cluster.KMeans(ctx, z, dims, cfg, nil)
	if err != nil {
		return ClusterRow{}, err
	}
	row := ClusterRow{Method: cluster.KMeansMethod, K: cfg.K, Reference: want, Measured: r.Inertia}
	row.Seconds, _ = meter.Stop()
	row.Passed = r.Inertia <= want*(1+inertiaShare)
	row.Silhouette, err = cluster.Silhouette(ctx, z, dims, r.Labels, r.K, cfg)
	return row, err
}

// Standardised is ln(1 + x) of a set, z-scored.
func Standardised(v *dataset.Vectors) ([]float64, error) {
	log := make([]bool, len(v.Columns))
	for i := range log {
		log[i] = true
	}
	s, err := cluster.FitScaler(v.X, log)
	if err != nil {
		return nil, err
	}
	z := make([]float64, len(v.X))
	s.Transform(z, v.X)
	return z, nil
}

// WriteClusterRows prints a case, and reports whether all of it passed.
func WriteClusterRows(w io.Writer, c ClusterCase, rows []ClusterRow) (passed bool, err error) {
	fmt.Fprintf(w, "%s  %s\n", c.Name, c.Title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\nmethod\tk\treference\tmeasured\tsilhouette\tof scikit-learn\tseconds\t\t\n")
	passed = true
	for _, r := range rows {
		verdict, silhouette, theirs := "ok", "", ""
		if !r.Passed {
			verdict, passed = "TOO BAD", false
		}
		if r.Method == cluster.KMeansMethod {
			silhouette = fmt.Sprintf("%.4f", r.Silhouette)
			if s, ok := c.Silhouette[r.K]; ok {
				theirs = fmt.Sprintf("%.4f", s)
			}
		}
		digits := 4
		if math.Abs(r.Reference) > 100 {
			digits = 3
		}
		fmt.Fprintf(t, "%s\t%d\t%.*f\t%.*f\t%s\t%s\t%.2f\t%s\t\n", r.Method, r.K, digits, r.Reference, digits, r.Measured, silhouette, theirs, r.Seconds, verdict)
	}
	if err := t.Flush(); err != nil {
		return false, fmt.Errorf("print ladder case %s: %w", c.Name, err)
	}
	return passed, nil
}
