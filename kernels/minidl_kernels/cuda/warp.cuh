// What a warp makes together, without shared memory: in each step a lane takes in what the lane so many places off has,
// five steps for 32 lanes. The order of additions follows from the sizes alone: the same bits at every call.

#ifndef INFINITY  // NVIDIA's run-time compiler knows no headers
#define INFINITY __int_as_float(0x7f800000)
#endif

const int LANES = 32;

// The sum over the warp, in every lane.
__device__ real warp_sum(real value) {
    for (int by = LANES / 2; by; by /= 2) value += __shfl_xor_sync(0xffffffff, value, by);
    return value;
}

// The maximum of the warp, in every lane; NaN where any lane has one.
__device__ real warp_max(real value) {
    for (int by = LANES / 2; by; by /= 2) {
        real other = __shfl_xor_sync(0xffffffff, value, by);
        value = other > value || other != other ? other : value;
    }
    return value;
}
