/* gmm: the gradient of a mixture's log-posterior, by weights, means and factors.

   Points stand in the lanes, in panels of six vectors; a block of panels goes through all
   components, then through the softmax over them, then through all components back. With
   z = Q (x - m) of a component, its responsibility r and w = -r z,

       by Q = sum w x^T - (sum w) m^T + scale^2 Q,      by m = -Q^T sum w,

   so that of each point and component only the two products with triangles are left. These are
   taken two rows at a time: rows 2 p and 2 p + 1 have 2 p + 2 columns, and stand in memory
   column after column, the pairs of rows one after another. */

#include <math.h>
#include <string.h>

#include "vectors.h"

#define VECTORS 6
#define POINTS (VECTORS * LANES)
#define CACHE 200000
#define FEWEST 8

typedef vec panel[VECTORS];

typedef struct {
    long d, k, n;
    long rows;      /* d, made even by a row of zeros */
    long triangle;  /* the elements of Q, as they stand in memory */
    long panels;    /* of all points */
    long block;     /* panels in a block */
} sizes;

static sizes sizes_of(long d, long k, long n) {
    sizes s = {.d = d, .k = k, .n = n, .rows = rounded_up(d, 2)};
    s.triangle = s.rows * (s.rows / 2 + 1);
    s.panels = (n + POINTS - 1) / POINTS;
    long fit = CACHE / (8 * POINTS * k * s.rows);
    s.block = least(s.panels, fit > FEWEST ? fit : FEWEST);
    return s;
}

/* Where row r and column c of Q stand. */
static inline long start_of(long even) { return even * (even / 2 + 1); }
static inline long place(long row, long column) {
    return start_of(row & ~1L) + 2 * column + (row & 1);
}

/* Where they stand among the factors, below the diagonal: column after column. */
static inline long place_of_factor(const sizes *s, long row, long column) {
    return s->d + column * (s->d - 1) - column * (column - 1) / 2 + row - column - 1;
}

typedef struct {
    panel *x;              /* [panels][rows] */
    panel *z;              /* [k][block][rows]; then w */
    panel *r;              /* [k][block] */
    panel *top, *total;    /* [block] */
    double *q, *by_q;      /* [k][triangle] */
    double *shifts, *sums; /* [k][rows]: Q m, sum of w */
    double *levels;        /* [k]: the exponent at z = 0 */
} buffers;

static double lay_out(const sizes *s, double *work, buffers *b) {
    double *next = work;
#define TAKE(name, count) b->name = (void *)next, next += (count)
    TAKE(x, s->panels * s->rows * POINTS);
    TAKE(z, s->k * s->block * s->rows * POINTS);
    TAKE(r, s->k * s->block * POINTS);
    TAKE(top, s->block * POINTS);
    TAKE(total, s->block * POINTS);
    TAKE(q, s->k * s->triangle);
    TAKE(by_q, s->k * s->triangle);
    TAKE(shifts, s->k * s->rows);
    TAKE(sums, s->k * s->rows);
    TAKE(levels, s->k);
#undef TAKE
    return next - work;
}

static void prepare(const sizes *s, const buffers *b, const double *weights, const double *means,
                    const double *factors, const double *x) {
    memset(b->x, 0, s->panels * s->rows * sizeof(panel));
    memset(b->q, 0, s->k * s->triangle * sizeof(double));
    memset(b->by_q, 0, s->k * s->triangle * sizeof(double));
    memset(b->shifts, 0, s->k * s->rows * sizeof(double));
    memset(b->sums, 0, s->k * s->rows * sizeof(double));
    for (long i = 0; i < s->n; i++) {
        double *lane = (double *)b->x[i / POINTS * s->rows] + i % POINTS;
        for (long c = 0; c < s->d; c++) lane[c * POINTS] = x[i * s->d + c];
    }
    for (long k = 0; k < s->k; k++) {
        const long d = s->d;
        const double *f = factors + k * (d + d * (d - 1) / 2), *mean = means + k * d;
        double *q = b->q + k * s->triangle, *shift = b->shifts + k * s->rows;
        b->levels[k] = weights[k];
        for (long c = 0; c < d; c++) {
            b->levels[k] += f[c];
            q[place(c, c)] = exp(f[c]);
            for (long r = c + 1; r < d; r++) q[place(r, c)] = f[place_of_factor(s, r, c)];
            for (long r = c; r < d; r++) shift[r] += q[place(r, c)] * mean[c];
        }
    }
}

/* Two rows of z; adds their squares. */
static inline void two_rows(const double *q, const double *shift, const panel *x, long columns,
                            panel *z, panel squares) {
    vec first[VECTORS], second[VECTORS];
    for (int v = 0; v < VECTORS; v++) first[v] = second[v] = (vec){0};
    for (int v = 0; v < VECTORS; v++) first[v] -= shift[0], second[v] -= shift[1];
    for (long c = 0; c < columns; c++)
        for (int v = 0; v < VECTORS; v++) {
            vec column = kept(x[c][v]);
            first[v] += q[2 * c] * column;
            second[v] += q[2 * c + 1] * column;
        }
    for (int v = 0; v < VECTORS; v++) {
        z[0][v] = first[v], z[1][v] = second[v];
        squares[v] += first[v] * first[v] + second[v] * second[v];
    }
}

/* z and the exponents of a block. */
static void forward(const sizes *s, const buffers *b, const panel *x, long panels) {
    for (long k = 0; k < s->k; k++)
        for (long p = 0; p < panels; p++) {
            panel squares = {0};
            for (long row = 0; row < s->rows; row += 2)
                two_rows(b->q + k * s->triangle + start_of(row), b->shifts + k * s->rows + row,
                         x + p * s->rows, row + 2,
                         b->z + (k * s->block + p) * s->rows + row, squares);
            for (int v = 0; v < VECTORS; v++)
                b->r[k * s->block + p][v] = b->levels[k] - 0.5 * squares[v];
        }
}

/* The exponents become responsibilities, zero where there is no point; their sums over points. */
static void softmax(const sizes *s, const buffers *b, long points, double *by_weights) {
    const long lanes = rounded_up(points, POINTS), stride = s->block * POINTS;
    double *r = (double *)b->r, *top = (double *)b->top, *total = (double *)b->total;
    memcpy(top, r, lanes * sizeof(double));
    memset(total, 0, lanes * sizeof(double));
    for (long k = 1; k < s->k; k++) {
        const double *mine = r + k * stride;
        for (long i = 0; i < lanes; i++) top[i] = mine[i] > top[i] ? mine[i] : top[i];
    }
    for (long k = 0; k < s->k; k++) {
        double *mine = r + k * stride;
        for (long i = 0; i < lanes; i++) total[i] += mine[i] = exp(mine[i] - top[i]);
    }
    for (long i = 0; i < lanes; i++) total[i] = i < points ? 1.0 / total[i] : 0.0;
    for (long k = 0; k < s->k; k++) {
        double *mine = r + k * stride, sum = 0.0;
        for (long i = 0; i < lanes; i++) sum += mine[i] *= total[i];
        by_weights[k] += sum;
    }
}

/* w = -r z, in place, and its sums over points. */
static void weigh(const sizes *s, panel *z, const panel *r, long panels, double *sums) {
    for (long row = 0; row < s->rows; row++) {
        vec sum = {0};
        for (long p = 0; p < panels; p++)
            for (int v = 0; v < VECTORS; v++)
                sum += z[p * s->rows + row][v] *= -r[p][v];
        sums[row] += sum_of(sum);
    }
}

/* Two rows of w times `count` columns of x, a constant wherever this is called. */
static inline __attribute__((always_inline)) void add_products(
    const panel *w, const panel *x, long rows, long panels, const int count, double *by_q) {
    vec sums[6][2] = {0};
    for (long p = 0; p < panels; p++)
#pragma GCC unroll 1
        for (int v = 0; v < VECTORS; v++) {
            vec first = w[p * rows][v], second = w[p * rows + 1][v];
            for (int c = 0; c < count; c++) {
                vec column = kept(x[p * rows + c][v]);
                sums[c][0] += first * column;
                sums[c][1] += second * column;
            }
        }
    for (int c = 0; c < count; c++) {
        by_q[2 * c] += sum_of(sums[c][0]);
        by_q[2 * c + 1] += sum_of(sums[c][1]);
    }
}

/* Six columns of x stay in the cache while the rows that have them pass by. */
static void back(const sizes *s, const buffers *b, const panel *x, long panels) {
    for (long k = 0; k < s->k; k++) {
        panel *w = b->z + k * s->block * s->rows;
        double *by_q = b->by_q + k * s->triangle;
        weigh(s, w, b->r + k * s->block, panels, b->sums + k * s->rows);
        for (long c = 0; c < s->rows; c += 6)
            for (long row = c; row < s->rows; row += 2) {
                double *out = by_q + start_of(row) + 2 * c;
                long left = row + 2 - c;
                if (left == 2) add_products(w + row, x + c, s->rows, panels, 2, out);
                else if (left == 4) add_products(w + row, x + c, s->rows, panels, 4, out);
                else add_products(w + row, x + c, s->rows, panels, 6, out);
            }
    }
}

/* From the sums over points to the gradient; the prior's part. */
static void finish(const sizes *s, const buffers *b, const double *weights, const double *means,
                   double scale, double excess, double *by_weights, double *by_means,
                   double *by_factors) {
    double top = weights[0], total = 0.0;
    for (long k = 1; k < s->k; k++) top = weights[k] > top ? weights[k] : top;
    for (long k = 0; k < s->k; k++) total += exp(weights[k] - top);
    for (long k = 0; k < s->k; k++) {
        const long d = s->d;
        const double *q = b->q + k * s->triangle, *by_q = b->by_q + k * s->triangle;
        const double *sums = b->sums + k * s->rows, *mean = means + k * d;
        double *f = by_factors + k * (d + d * (d - 1) / 2);
        for (long c = 0; c < d; c++) {
            double diagonal = q[place(c, c)], by_mean = 0.0;
            for (long r = c; r < d; r++) by_mean -= sums[r] * q[place(r, c)];
            by_means[k * d + c] = by_mean;
            f[c] = by_weights[k] - excess
                 + diagonal * (by_q[place(c, c)] - sums[c] * mean[c] + scale * scale * diagonal);
            for (long r = c + 1; r < d; r++)
                f[place_of_factor(s, r, c)] =
                    by_q[place(r, c)] - sums[r] * mean[c] + scale * scale * q[place(r, c)];
        }
        by_weights[k] -= s->n * exp(weights[k] - top) / total;
    }
}

double gmm_work(long d, long k, long n) {
    const sizes s = sizes_of(d, k, n);
    buffers b;
    return lay_out(&s, 0, &b);
}

void gmm(const double *weights, const double *means, const double *factors, const double *x,
         long d, long k, long n, double scale, double excess, double *work, double *by_weights,
         double *by_means, double *by_factors) {
    const sizes s = sizes_of(d, k, n);
    buffers b;
    lay_out(&s, work, &b);
    prepare(&s, &b, weights, means, factors, x);
    memset(by_weights, 0, k * sizeof(double));
    for (long first = 0; first < s.panels; first += s.block) {
        const panel *mine = b.x + first * s.rows;
        long panels = least(s.block, s.panels - first);
        forward(&s, &b, mine, panels);
        softmax(&s, &b, least(panels * POINTS, n - first * POINTS), by_weights);
        back(&s, &b, mine, panels);
    }
    finish(&s, &b, weights, means, scale, excess, by_weights, by_means, by_factors);
}
