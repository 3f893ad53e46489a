"""The other side of a comparison: the Python libraries implicit, hnswlib and SciPy.

cmd/bench starts this file once for each side, in an environment that peers.sh made,
and asks for one unit of work at a time: a line of JSON in, a line of JSON out. What a
unit is, and what the files hold, is told in cmd/bench, whose own side does the same.
Costs are this process's processor time (user and system, all threads) and wall time.
"""

import argparse
import json
import os
import resource
import sys
import time

import numpy as np

ANSWERS = os.fdopen(os.dup(1), "w")  # libraries may print to standard output
os.dup2(2, 1)


def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


def peak():
    """Most resident bytes. Not getrusage's: that counts what the parent had when it forked, too."""
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0


def measure(work):
    c, w = cpu(), time.perf_counter()
    work()
    return {"cpu": cpu() - c, "wall": time.perf_counter() - w}


def answer(v):
    ANSWERS.write(json.dumps(v) + "\n")
    ANSWERS.flush()


def requests():
    for line in sys.stdin:
        r = json.loads(line)
        yield r["do"], r.get("arg")


def serve(setup, works):
    answer(setup)
    for do, arg in requests():
        try:
            answer(works[do](arg))
        except Exception as e:  # the driver says it to people
            answer({"error": f"{type(e).__name__}: {e}"})


def matrix(directory, prefix="", value=1.0):
    import scipy.sparse as sp

    shape = np.load(f"{directory}/{prefix}shape.npy")
    indptr = np.load(f"{directory}/{prefix}indptr.npy")
    indices = np.load(f"{directory}/{prefix}indices.npy")
    if indptr[-1] < 2**31:
        indptr = indptr.astype(np.int32)  # as SciPy would choose, and as implicit wants
    data = np.full(len(indices), value, dtype=np.float32)
    return sp.csr_matrix((data, indices, indptr), shape=tuple(shape))


def versions(_):
    """What there is, for the document."""
    import hnswlib  # noqa: F401
    import implicit
    import scipy
    import threadpoolctl
    from importlib.metadata import version

    blas = sorted({f"{p['internal_api']} {p['version']}" for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"})
    return {
        "python": sys.version.split()[0],
        "implicit": implicit.__version__,
        "hnswlib": version("hnswlib"),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": version("scikit-learn"),
        "blas": ", ".join(blas),
    }


def als(a):
    """Fits with implicit, an iteration for each "step"."""
    import implicit
    from implicit.cpu import _als

    x = matrix(a.data)
    model = implicit.cpu.als.AlternatingLeastSquares(
        factors=a.f, regularization=a.regularization, alpha=a.alpha, iterations=a.iterations,
        num_threads=a.threads, random_state=1)
    model.use_cg = a.solver == "cg"
    answer({"people": x.shape[0], "items": x.shape[1], "interactions": int(x.nnz), "solver": "cg, 3 steps" if model.use_cg else "cholesky"})
    asked = requests()
    began = {}

    def begin():
        began["cpu"], began["wall"] = cpu(), time.perf_counter()

    def until_step():
        for do, arg in asked:
            if do == "step":
                begin()
                return True
            if do == "loss":
                c = x * np.float32(a.alpha)
                answer({"loss": float(_als.calculate_loss(c, model.user_factors, model.item_factors, a.regularization, num_threads=a.threads))})
            if do == "save":
                np.save(f"{arg}/users.npy", model.user_factors)
                np.save(f"{arg}/items.npy", model.item_factors)
                answer({"dir": arg})
        return False

    class Over(Exception):
        pass

    def after(iteration, *_):
        answer({"cpu": cpu() - began["cpu"], "wall": time.perf_counter() - began["wall"], "done": iteration + 1, "peak": peak()})
        if not until_step():
            raise Over

    try:
        if until_step():
            model.fit(x, show_progress=False, callback=after)
            answer({"error": "the fit has no more iterations"})
    except Over:
        pass


def judge(a):
    """Judges factors of either side with the same code."""
    import scipy.sparse as sp  # noqa: F401
    from implicit.cpu import _als

    train, test = matrix(a.data), None
    if os.path.exists(f"{a.data}/test_shape.npy"):
        test = matrix(a.data, "test_")

    def loss(directory):
        x, y = np.load(f"{directory}/users.npy"), np.load(f"{directory}/items.npy")
        return {"loss": float(_als.calculate_loss(train * np.float32(a.alpha), x, y, a.regularization, num_threads=a.threads))}

    def ndcg(directory):
        """NDCG@100 over everybody with something held out, what was trained on hidden."""
        x, y = np.load(f"{directory}/users.npy"), np.load(f"{directory}/items.npy")
        k, total, n = 100, 0.0, 0
        discount = 1 / np.log2(np.arange(2, k + 2))
        for u in range(train.shape[0]):
            held = test.indices[test.indptr[u]:test.indptr[u + 1]]
            if len(held) == 0:
                continue
            scores = y @ x[u]
            scores[train.indices[train.indptr[u]:train.indptr[u + 1]]] = -np.inf
            best = np.argpartition(-scores, k)[:k]
            best = best[np.argsort(-scores[best], kind="stable")]
            total += discount[np.isin(best, held)].sum() / discount[:min(k, len(held))].sum()
            n += 1
        return {"ndcg": total / n, "people": n}

    serve({"held_out": test is not None}, {"loss": loss, "ndcg": ndcg})


def topk(a):
    """Top k with implicit's recommend, or hnswlib, on one thread."""
    items, queries = np.load(f"{a.vectors}/items.npy"), np.load(f"{a.vectors}/queries.npy")
    n = len(queries)
    setup = {"items": len(items), "queries": n}
    if a.library == "implicit":
        import implicit
        import scipy.sparse as sp

        model = implicit.cpu.als.AlternatingLeastSquares(factors=items.shape[1], num_threads=1)
        model.user_factors, model.item_factors = queries, items
        nothing = sp.csr_matrix((1, len(items)), dtype=np.float32)
        ask = lambda i: model.recommend(i, nothing, N=a.k, filter_already_liked_items=False)[0]
    else:
        import hnswlib

        index, kept = hnswlib.Index(space="ip", dim=items.shape[1]), f"{a.vectors}/hnsw.bin"
        if os.path.exists(kept + ".json"):
            index.load_index(kept, max_elements=len(items))
            with open(kept + ".json") as f:
                setup.update(json.load(f))
        else:
            index.init_index(max_elements=len(items), M=16, ef_construction=100, random_seed=1)
            built = measure(lambda: index.add_items(items, num_threads=a.threads))
            index.save_index(kept)
            with open(kept + ".json", "w") as f:
                json.dump(built, f)
            setup.update(built)
        index.set_num_threads(1)
        ask = lambda i: index.knn_query(queries[i:i + 1], k=a.k, num_threads=1)[0][0]

    def use(arg):
        if a.library == "hnswlib":
            index.set_ef(int(arg))

    def round_(arg):
        use(arg)
        c = measure(lambda: [ask(i) for i in range(n)])
        return {"cpu": c["cpu"] / n, "wall": c["wall"] / n}

    def recall(arg):
        use(arg["ef"])
        truth = np.load(arg["truth"])
        return {"recall": float(np.mean([len(np.intersect1d(ask(i), truth[i])) / a.k for i in range(n)]))}

    serve({**setup, "peak": peak()}, {"round": round_, "recall": recall})


def foldin(a):
    """Folds people in with implicit's exact solver, on one thread."""
    import implicit
    import scipy.sparse as sp

    items, rows = np.load(f"{a.data}/items.npy"), np.load(f"{a.data}/histories.npy")
    model = implicit.cpu.als.AlternatingLeastSquares(
        factors=items.shape[1], regularization=a.regularization, alpha=a.alpha, num_threads=1)
    model.item_factors = items
    one = np.ones(rows.shape[1], dtype=np.float32)
    people = [sp.csr_matrix((one, r, [0, len(r)]), shape=(1, len(items))) for r in rows]

    def round_(_):
        c = measure(lambda: [model.recalculate_user(0, p) for p in people])
        return {"cpu": c["cpu"] / len(people), "wall": c["wall"] / len(people)}

    def save(path):
        np.save(path, np.array([model.recalculate_user(0, p) for p in people]))
        return {"dir": path}

    model.recalculate_user(0, people[0])  # makes YᵀY, once for all
    serve({"people": len(people), "history": rows.shape[1]}, {"round": round_, "save": save})


def ease(a):
    """Inverts a Gram matrix in float32 by Cholesky: LAPACK's spotrf and spotri."""
    from scipy.linalg import lapack
    from scipy.linalg.blas import ssymv as symv

    g = np.load(f"{a.data}/gram.npy")

    def work(_):
        m = np.array(g, order="F")  # not counted: our side copies it before, too
        state = {}

        def invert():
            c, info = lapack.spotrf(m, lower=1, clean=0, overwrite_a=1)
            assert info == 0, f"spotrf: {info}"
            inverse, info = lapack.spotri(c, lower=1, overwrite_c=1)
            assert info == 0, f"spotri: {info}"
            state["inverse"] = inverse

        cost = measure(invert)
        inverse, v = state["inverse"], np.random.default_rng(1).standard_normal(len(g)).astype(np.float32)
        x = symv(1.0, inverse, v, lower=1)
        cost["residual"] = float(np.linalg.norm(symv(1.0, g.T, x, lower=1) - v) / np.linalg.norm(v))
        cost["peak"] = peak()
        return cost

    serve({"items": len(g)}, {"invert": work})


def cluster(a):
    """Fits with scikit-learn, on one thread."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")  # of a start that has not converged after its 100 iterations
    x = np.load(f"{a.data}/x.npy")

    def fit(make, value):
        def work(k):
            state = {}

            def run():
                state["model"] = make(int(k)).fit(x)

            with threadpool_limits(1):
                cost = measure(run)
            return {**cost, "value": float(value(state["model"]))}

        return work

    serve({"rows": len(x)}, {
        "kmeans": fit(lambda k: KMeans(k, n_init=30, random_state=1), lambda m: m.inertia_),
        "mixture": fit(lambda k: GaussianMixture(k, n_init=5, reg_covar=1e-6, random_state=1), lambda m: m.score(x)),
    })


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("kind", choices=["als", "judge", "topk", "foldin", "ease", "cluster", "versions"])
    p.add_argument("--data")
    p.add_argument("--vectors")
    p.add_argument("--library", choices=["implicit", "hnswlib"])
    p.add_argument("--solver", default="cg")
    p.add_argument("-f", type=int, default=64)
    p.add_argument("-k", type=int, default=100)
    p.add_argument("--iterations", type=int, default=15)
    p.add_argument("--alpha", type=float, default=5)
    p.add_argument("--regularization", type=float, default=20)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    if a.kind == "versions":
        answer(versions(a))
    else:
        {"als": als, "judge": judge, "topk": topk, "foldin": foldin, "ease": ease, "cluster": cluster}[a.kind](a)


if __name__ == "__main__":
    main()
