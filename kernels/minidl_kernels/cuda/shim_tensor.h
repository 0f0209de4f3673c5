// The tensor cores of the GPU made of one processor: what tensor_core.cuh asks of the hardware, by the tables of the PTX
// ISA. Stricter than the hardware, which ignores the bits that TF32 has not: here they must be zero.

#define SHIM

inline unsigned __float_as_uint(float x) {
    unsigned bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
inline float __uint_as_float(unsigned bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// The nearest number with 10 bits of mantissa, halves away from zero; NaN is the one that cvt.rna.tf32.f32 gives.
inline unsigned to_tf32(float x) {
    unsigned bits = __float_as_uint(x);
    return x != x ? 0x7fffffffu & ~0x1fffu : isinf(x) ? bits : (bits + 0x1000u) & ~0x1fffu;
}

namespace shim {

struct Fragments {  // what a lane brings to a step
    unsigned a[4], b[2];
};
Fragments fragments[MOST_THREADS];

// Which lane of a warp has row `row`, place k of the first factor, and in which register; then of the second factor.
inline double left(const Fragments* warp, int row, int k) {
    return __uint_as_float(warp[row % 8 * 4 + k % 4].a[row / 8 + k / 4 * 2]);
}
inline double right(const Fragments* warp, int k, int column) {
    return __uint_as_float(warp[column * 4 + k % 4].b[k / 4]);
}

inline void multiply_add(float (&sums)[4], const unsigned (&a)[4], const unsigned (&b)[2], int line) {
    Fragments& own = fragments[current];
    memcpy(own.a, a, sizeof a);
    memcpy(own.b, b, sizeof b);
    for (int i = 0; i < 6; i++) {
        unsigned bits = i < 4 ? a[i] : b[i - 4];  // all set: shared memory where nobody has written yet, which is NaN
        if (bits & 0x1fffu && bits + 1) fail("line %d: a factor of multiply_add is not TF32", line);
    }
    if (lane() == 0) counts.steps++;
    wait(AT_WARP, line, 0xffffffffu);
    const Fragments* warp = fragments + (current - lane());
    for (int part = 0; part < 4; part++) {
        int row = lane() / 4 + part / 2 * 8, column = lane() % 4 * 2 + part % 2;
        double sum = sums[part];
        for (int k = 0; k < 8; k++) sum += left(warp, row, k) * right(warp, k, column);
        sums[part] = sum;
    }
    wait(AT_WARP, -line, 0xffffffffu);  // nobody brings the next step before all have read this one
}

}  // namespace shim

#define multiply_add(sums, a, b) shim::multiply_add(sums, a, b, __LINE__)
