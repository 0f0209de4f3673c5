// Sums that threads make together. The order of additions follows from the sizes alone: the same bits at every call.

#ifndef INFINITY  // NVIDIA's run-time compiler knows no headers
#define INFINITY __int_as_float(0x7f800000)
#endif

const int LANES = 32, ROWS = 8;  // a block of the column kernels: a warp along the columns, eight of them

// The sum over the warp, in every lane. In step k a lane adds what the lane 2^k places off has: five steps for 32.
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

// The sum over the rows of a block, for each lane; only the first row gets it.
__device__ real sum_of_rows(real (&shared)[ROWS][LANES], real value) {
    shared[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    real sum = 0;
    if (threadIdx.y == 0)
        for (int row = 0; row < ROWS; row++) sum += shared[row][threadIdx.x];
    return sum;
}
