/* Vectors as wide as the processor's, wherever the loops are blocked by hand. */

#ifdef __AVX512F__
#define LANES 8
#elif defined __AVX__
#define LANES 4
#else
#define LANES 2
#endif

typedef double vec __attribute__((vector_size(8 * LANES), may_alias));
typedef double unaligned __attribute__((vector_size(8 * LANES), may_alias, aligned(8)));

static inline vec load(const double *from) { return *(const unaligned *)from; }

static inline void store(double *to, vec value) { *(unaligned *)to = value; }

/* Loaded once: gcc may load anew what it has no mind to keep. */
static inline vec kept(vec value) {
#ifdef __AVX__
    __asm__("" : "+x"(value));
#endif
    return value;
}

static inline double sum_of(vec value) {
    double total = value[0];
    for (int lane = 1; lane < LANES; lane++) total += value[lane];
    return total;
}

static inline long least(long a, long b) { return a < b ? a : b; }

static inline long rounded_up(long count, long multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

typedef long mask __attribute__((vector_size(sizeof(long) * LANES), may_alias));

/* Per lane: `yes` where `which` is set, `no` elsewhere. */
static inline mask chosen(mask which, mask yes, mask no) { return (which & yes) | (~which & no); }
