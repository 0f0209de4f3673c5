// The channel of element i of an array whose channels come last. GPUs divide by a subroutine, and that for 64 bits is the
// longer one by far, so it is left to arrays that need it.
__device__ int channel_of(long long i, int channels) {
    return i >> 32 ? (int)(i % channels) : (int)((unsigned)i % (unsigned)channels);
}
