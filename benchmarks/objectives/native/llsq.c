/* llsq: the gradient of 1/2 |s - P x|^2, by the matrix of powers and without it. */

#include <string.h>

#include "vectors.h"

#define POINTS 128 /* at once without a matrix: what they need stays in the cache */
#define GROUP (8 * LANES) /* the points of one loop by Horner */
#define STRIDE 16 /* t^(STRIDE b + a) = (t^STRIDE)^b t^a */
#define MOST 64 /* of b: up to STRIDE MOST coefficients */

/* A row is multiplied by x and, while it is in the cache, added to the gradient: the matrix is
   read once. */
void with_matrix(const double *restrict x, const double *restrict powers,
                 const double *restrict s, long n, long m, double *restrict gradient) {
    memset(gradient, 0, m * sizeof(double));
    long i = 0;
    for (; i + 4 <= n; i += 4) {
        const double *p = powers + i * m, *q = p + m, *u = q + m, *v = u + m;
        double a = -s[i], b = -s[i + 1], c = -s[i + 2], d = -s[i + 3];
        for (long j = 0; j < m; j++) {
            a += p[j] * x[j];
            b += q[j] * x[j];
            c += u[j] * x[j];
            d += v[j] * x[j];
        }
        for (long j = 0; j < m; j++) gradient[j] += (a * p[j] + b * q[j]) + (c * u[j] + d * v[j]);
    }
    for (; i < n; i++) {
        const double *p = powers + i * m;
        double a = -s[i];
        for (long j = 0; j < m; j++) a += p[j] * x[j];
        for (long j = 0; j < m; j++) gradient[j] += a * p[j];
    }
}

/* The residuals of points, a multiple of GROUP of them, by Horner's scheme. */
static void residuals(const double *restrict x, const double *restrict t,
                      const double *restrict s, long points, long m, double *restrict out) {
    for (long i = 0; i < points; i += GROUP) {
        vec at[8], y[8];
        for (int v = 0; v < 8; v++) at[v] = load(t + i + v * LANES), y[v] = (vec){0};
        for (long j = m - 1; j >= 0; j--)
            for (int v = 0; v < 8; v++) y[v] = y[v] * at[v] + x[j];
        for (int v = 0; v < 8; v++) store(out + i + v * LANES, y[v] - load(s + i + v * LANES));
    }
}

/* gradient[STRIDE b + a] += sum of r t^(STRIDE b + a), tiles of four a and two b */
static void add_moments(double (*small)[POINTS], double (*large)[POINTS], long pairs,
                        long points, double *restrict gradient) {
    for (long b = 0; b < 2 * pairs; b += 2)
        for (long a = 0; a < STRIDE; a += 4) {
            vec sums[2][4] = {0};
            for (long i = 0; i < points; i += LANES) {
                vec first = load(large[b] + i), second = load(large[b + 1] + i);
                for (int c = 0; c < 4; c++) {
                    vec power = load(small[a + c] + i);
                    sums[0][c] += first * power;
                    sums[1][c] += second * power;
                }
            }
            for (int c = 0; c < 4; c++) {
                gradient[STRIDE * b + a + c] += sum_of(sums[0][c]);
                gradient[STRIDE * (b + 1) + a + c] += sum_of(sums[1][c]);
            }
        }
}

/* A coefficient's slope is a moment of the residuals, one product for each point and coefficient,
   as in Horner's scheme. */
void without_matrix(const double *restrict x, const double *restrict points,
                    const double *restrict s, long n, long m, double *restrict gradient) {
    double small[STRIDE][POINTS], large[MOST][POINTS], moments[STRIDE * MOST] = {0};
    double t[POINTS], signs[POINTS];
    long pairs = (m + 2 * STRIDE - 1) / (2 * STRIDE);
    for (long start = 0; start < n; start += POINTS) {
        long length = least(POINTS, n - start), padded = rounded_up(length, GROUP);
        memcpy(t, points + start, length * sizeof(double));
        memcpy(signs, s + start, length * sizeof(double));
        for (long i = length; i < padded; i++) t[i] = signs[i] = 0.0;
        residuals(x, t, signs, padded, m, large[0]);
        for (long i = length; i < padded; i++) large[0][i] = 0.0;
        for (long i = 0; i < padded; i++) small[0][i] = 1.0;
        for (long a = 1; a < STRIDE; a++)
            for (long i = 0; i < padded; i++) small[a][i] = small[a - 1][i] * t[i];
        for (long i = 0; i < padded; i++) t[i] *= small[STRIDE - 1][i];
        for (long b = 1; b < 2 * pairs; b++)
            for (long i = 0; i < padded; i++) large[b][i] = large[b - 1][i] * t[i];
        add_moments(small, large, pairs, padded, moments);
    }
    memcpy(gradient, moments, m * sizeof(double));
}
