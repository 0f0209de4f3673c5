// How a block fetches a slab of a factor, DEPTH numbers deep along the inner sum, into shared memory as TF32.
//
// A source says where the numbers of a factor are: `outer(i)` is what is to be known of row i of the first factor (or of
// column i of the second), `inner(k)` of place k of the inner sum, `at(outer, inner)` the number. Finding these may take
// divisions, so a thread finds them once; from one k to another `advance(inner, by)` gets along with additions.
//
// Numbers are fetched into registers first (`fetch`), and put down later (`keep`): between the two the block multiplies
// the slab before. Neighbouring threads fetch what lies side by side in memory: along k, or along the other index.

const int DEPTH = 16, THREADS = 256;

// The 4 columns of padding: the 32 lanes that read a fragment read from 32 banks, since 20 * group + place are all different.
template <int OUTER, class Source> struct AlongInner {
    static const int STEP = THREADS / DEPTH, EACH = OUTER / STEP;
    typedef unsigned Slab[OUTER][DEPTH + 4];

    Source source;
    typename Source::Outer outers[EACH];
    typename Source::Inner inner;
    float numbers[EACH];
    int first, count, k;

    __device__ AlongInner(Source source, int start, int count, int from)
        : source(source), inner(source.inner(from + threadIdx.x % DEPTH)), first(start + threadIdx.x / DEPTH), count(count) {
        k = from + threadIdx.x % DEPTH;
#pragma unroll
        for (int n = 0; n < EACH; n++) outers[n] = source.outer(first + n * STEP);
    }

    __device__ void fetch(int to) {
#pragma unroll
        for (int n = 0; n < EACH; n++)
            numbers[n] = first + n * STEP < count && k < to ? source.at(outers[n], inner) : 0;
        source.advance(inner, DEPTH);
        k += DEPTH;
    }

    __device__ void keep(Slab& slab) {
#pragma unroll
        for (int n = 0; n < EACH; n++) slab[threadIdx.x / DEPTH + n * STEP][threadIdx.x % DEPTH] = to_tf32(numbers[n]);
    }

    static __device__ unsigned at(Slab& slab, int outer, int k) { return slab[outer][k]; }
};

// Here the padding of 8 columns keeps the banks apart: 8 * place + group are all different.
template <int OUTER, class Source> struct AlongOuter {
    static const int STEP = THREADS / OUTER, EACH = DEPTH / STEP;
    typedef unsigned Slab[DEPTH][OUTER + 8];

    Source source;
    typename Source::Outer outer;
    typename Source::Inner inner;
    float numbers[EACH];
    bool inside;
    int k;

    __device__ AlongOuter(Source source, int start, int count, int from)
        : source(source), outer(source.outer(start + threadIdx.x % OUTER)), inner(source.inner(from + threadIdx.x / OUTER)) {
        inside = start + threadIdx.x % OUTER < count;
        k = from + threadIdx.x / OUTER;
    }

    __device__ void fetch(int to) {
#pragma unroll
        for (int n = 0; n < EACH; n++) {
            numbers[n] = inside && k < to ? source.at(outer, inner) : 0;
            source.advance(inner, STEP);
            k += STEP;
        }
    }

    __device__ void keep(Slab& slab) {
#pragma unroll
        for (int n = 0; n < EACH; n++) slab[threadIdx.x / OUTER + n * STEP][threadIdx.x % OUTER] = to_tf32(numbers[n]);
    }

    static __device__ unsigned at(Slab& slab, int outer, int k) { return slab[k][outer]; }
};

// The source that most factors are: outer and inner index are so many elements apart.
struct Strided {
    const float* numbers;
    long long across, along;
    typedef long long Outer, Inner;

    __device__ Outer outer(int i) { return i * across; }
    __device__ Inner inner(int k) { return k * along; }
    __device__ void advance(Inner& inner, int by) { inner += by * along; }
    __device__ float at(Outer outer, Inner inner) { return numbers[outer + inner]; }
};
