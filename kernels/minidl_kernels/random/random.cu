// Philox-4x32-10: one thread a block of four words. The words are those of every other implementation, bit for bit, since
// a word is a function of its position and the key. The constants are those of __init__.py.

struct Words {
    unsigned of[4];
};

__device__ Words philox(unsigned long long block, unsigned k0, unsigned k1) {
    unsigned c0 = block, c1 = block >> 32, c2 = 0, c3 = 0;
    for (int round = 0; round < 10; round++) {
        unsigned high_0 = __umulhi(0xD2511F53u, c0), low_0 = 0xD2511F53u * c0;
        unsigned high_1 = __umulhi(0xCD9E8D57u, c2), low_1 = 0xCD9E8D57u * c2;
        c0 = high_1 ^ c1 ^ k0;
        c1 = low_1;
        c2 = high_0 ^ c3 ^ k1;
        c3 = low_0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}

// Block number b of the launch is block first + b of the stream; `before` words of it stand before the first wanted one.
// A thread that hangs over draws words that nobody wants.
#define BLOCK_OF_WORDS                                              \
    long long b = (long long)blockIdx.x * blockDim.x + threadIdx.x; \
    Words words = philox(first + b, key[0], key[1]);

extern "C" __global__ void random_words(const unsigned* key, unsigned* out, long long first, int before, long long size) {
    BLOCK_OF_WORDS
    for (int w = 0; w < 4; w++) {
        long long i = b * 4 + w - before;
        if (i >= 0 && i < size) out[i] = words.of[w];
    }
}

extern "C" __global__ void drop(const real* x, const unsigned* key, real* y, long long first, int before, long long size,
                                unsigned threshold, real scale) {
    BLOCK_OF_WORDS
    for (int w = 0; w < 4; w++) {
        long long i = b * 4 + w - before;
        if (i >= 0 && i < size) y[i] = words.of[w] >= threshold ? x[i] * scale : 0;
    }
}
