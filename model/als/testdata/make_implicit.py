"""Writes implicit.txt: what the library implicit makes of the matrix in implicit_test.go.

    pip install implicit==0.7.3 && python make_implicit.py > implicit.txt

Line 1 is the version. Then twice, for factors=50, regularization=0.01 (the
library's defaults in our names) and for factors=4, regularization=1, the
scores, people by items, after 15 iterations of the exact solver.
"""
import math

import implicit
import numpy as np
import scipy.sparse as sp

people, items = 30, 20
x = np.zeros((people, items))
for u in range(people):
    for i in range(items):
        if (u * u + 3 * i + u * i) % 7 < 3:
            x[u, i] = 1 + (7 * u + 3 * i) % 5
print("implicit", implicit.__version__)
for factors, regularization in [(50, 0.01), (4, 1.0)]:
    model = implicit.als.AlternatingLeastSquares(
        factors=factors, regularization=regularization, iterations=15, alpha=1.0,
        dtype=np.float64, use_cg=False, num_threads=1)
    model.item_factors = np.array(
        [[0.1 * math.sin((1 + i * factors + k) ** 2) for k in range(factors)] for i in range(items)])
    model.user_factors = np.zeros((people, factors))
    model.fit(sp.csr_matrix(x), show_progress=False)
    users = model.recalculate_user(np.arange(people), sp.csr_matrix(x))
    for row in users @ model.item_factors.T:
        print(" ".join("%.6f" % v for v in row))
