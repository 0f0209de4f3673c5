// One warp a row: its lanes walk along the row in steps of 32 and make sums and maxima together, without shared memory.
// A warp whose row does not exist leaves as a whole, so the shuffles of the others miss nobody.

#include "warp.cuh"

#define ROW                                                           \
    int row = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x; \
    if (row >= rows) return;                                          \
    long long start = (long long)row * classes;

// The maximum, and log(sum(exp(x - maximum))). A row with NaN or inf, or nothing but -inf, makes NaN of x - maximum.
__device__ real row_max(const real* x, int classes) {
    real top = -INFINITY;
    for (int k = threadIdx.x; k < classes; k += LANES) top = x[k] > top || x[k] != x[k] ? x[k] : top;
    return warp_max(top);
}

__device__ real row_sum(const real* x, int classes, real top) {
    real sum = 0;
    for (int k = threadIdx.x; k < classes; k += LANES) sum += exp(x[k] - top);
    return warp_sum(sum);
}

extern "C" __global__ void softmax_forward(const real* x, real* y, int rows, int classes) {
    ROW
    real top = row_max(x + start, classes), sum = row_sum(x + start, classes, top);
    for (int k = lane; k < classes; k += LANES) y[start + k] = exp(x[start + k] - top) / sum;
}

extern "C" __global__ void softmax_gradient(const real* g, const real* y, real* dx, int rows, int classes) {
    ROW
    real sum = 0;
    for (int k = lane; k < classes; k += LANES) sum += g[start + k] * y[start + k];
    sum = warp_sum(sum);
    for (int k = lane; k < classes; k += LANES) dx[start + k] = y[start + k] * (g[start + k] - sum);
}

extern "C" __global__ void log_softmax_forward(const real* x, real* y, int rows, int classes) {
    ROW
    real top = row_max(x + start, classes), logarithm = log(row_sum(x + start, classes, top));
    for (int k = lane; k < classes; k += LANES) y[start + k] = x[start + k] - top - logarithm;
}

extern "C" __global__ void log_softmax_gradient(const real* g, const real* y, real* dx, int rows, int classes) {
    ROW
    real sum = 0;
    for (int k = lane; k < classes; k += LANES) sum += g[start + k];
    sum = warp_sum(sum);
    for (int k = lane; k < classes; k += LANES) dx[start + k] = g[start + k] - exp(y[start + k]) * sum;
}
