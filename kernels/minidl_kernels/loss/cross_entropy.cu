// The cross-entropy of integer labels: one warp a row, as in softmax.cu.

#include "warp.cuh"

// Labels on a GPU are checked at the end of an epoch, so a wrong one must do no harm: its loss is NaN.
#define CHOSEN(values) \
    (labels[row] >= 0 && labels[row] < classes ? (values)[start + labels[row]] : (real)(INFINITY - INFINITY))

#define ROW                                                           \
    int row = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x; \
    if (row >= rows) return;                                          \
    long long start = (long long)row * classes;

extern "C" __global__ void softmax_cross_entropy_forward(const real* logits, const long long* labels, real* losses,
                                                         real* probabilities, int rows, int classes) {
    ROW
    real top = -INFINITY, sum = 0;
    for (int k = lane; k < classes; k += LANES)
        top = logits[start + k] > top || logits[start + k] != logits[start + k] ? logits[start + k] : top;
    top = warp_max(top);
    for (int k = lane; k < classes; k += LANES) sum += exp(logits[start + k] - top);
    sum = warp_sum(sum);
    for (int k = lane; k < classes; k += LANES) probabilities[start + k] = exp(logits[start + k] - top) / sum;
    if (lane == 0) losses[row] = log(sum) - (CHOSEN(logits) - top);
}

extern "C" __global__ void softmax_cross_entropy_gradient(const real* g, const real* probabilities,
                                                          const long long* labels, real* dx, int rows, int classes) {
    ROW
    for (int k = lane; k < classes; k += LANES)
        dx[start + k] = (probabilities[start + k] - (k == labels[row] ? 1 : 0)) * g[row];
}

extern "C" __global__ void probability_cross_entropy_forward(const real* output, const long long* labels, real* losses,
                                                             real* p, int rows, int classes, real epsilon) {
    ROW
    real sum = 0;
    for (int k = lane; k < classes; k += LANES) sum += output[start + k];
    sum = warp_sum(sum);
    if (lane == 0) {
        real share = CHOSEN(output) / sum;
        p[row] = share;
        losses[row] = -log(share < epsilon ? epsilon : share > 1 - epsilon ? 1 - epsilon : share);
    }
}

extern "C" __global__ void probability_cross_entropy_gradient(const real* g, const real* output, const real* p,
                                                              const long long* labels, real* dx, int rows, int classes,
                                                              real epsilon) {
    ROW
    real sum = 0;
    for (int k = lane; k < classes; k += LANES) sum += output[start + k];
    sum = warp_sum(sum);
    bool inside = epsilon <= p[row] && p[row] <= 1 - epsilon;
    for (int k = lane; k < classes; k += LANES)
        dx[start + k] = inside ? g[row] * (1 / sum - (k == labels[row] ? 1 / output[start + k] : 0)) : 0;
}
