// Element i of arrays that are side by side, one for each thread; the last block hangs over the end.
#define ELEMENT                                                     \
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; \
    if (i >= size) return;
