/* lse: the gradient of log(sum(exp(x))), which is exp(x - top) / sum(exp(x - top)).

   Memory is passed over twice, not three times: each block is taken against the greatest element
   so far, which `tops` keeps, and put right against the greatest of all by the factor that has to
   be multiplied by anyway. */

#include <math.h>
#define BLOCK 1024

static inline long shorter(long length) { return length < BLOCK ? length : BLOCK; }

void lse(const double *restrict x, long n, double *restrict tops, double *restrict gradient) {
    double top = x[0], total = 0.0;
    for (long start = 0, block = 0; start < n; start += BLOCK, block++) {
        const double *t = x + start;
        double *y = gradient + start, higher = top, sum = 0.0;
        long length = shorter(n - start);
        for (long i = 0; i < length; i++) higher = t[i] > higher ? t[i] : higher;
        for (long i = 0; i < length; i++) sum += y[i] = exp(t[i] - higher);
        total = total * exp(top - higher) + sum;
        tops[block] = top = higher;
    }
    for (long start = 0, block = 0; start < n; start += BLOCK, block++) {
        double *y = gradient + start, scale = exp(tops[block] - top) / total;
        long length = shorter(n - start);
        for (long i = 0; i < length; i++) y[i] *= scale;
    }
}
