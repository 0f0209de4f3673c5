// Batch norm over the channels, which come last: sums over rows as in columns.cu, then one pass over the elements.

#include "channel.cuh"
#include "rows.cuh"

// The sums of (x - mean)^2: a second pass over x, since sum(x^2) - n mean^2 would lose all digits where the mean is large.
extern "C" __global__ void square_sums(const real* x, const real* mean, real* sums, int rows, int channels, real scale) {
    __shared__ real shared[ROWS][LANES];
    int channel = blockIdx.x * LANES + threadIdx.x;
    real sum = 0;
    if (channel < channels)
        for (int row = blockIdx.y * ROWS + threadIdx.y; row < rows; row += gridDim.y * ROWS) {
            real off = x[(long long)row * channels + channel] - mean[channel];
            sum += off * off;
        }
    sum = sum_of_rows(shared, sum);
    if (threadIdx.y == 0 && channel < channels) sums[(long long)blockIdx.y * channels + channel] = sum * scale;
}

// sum(g * normalized x) and sum(g): both gradients of the parameters, in one pass.
extern "C" __global__ void gradient_sums(const real* g, const real* x, const real* mean, const real* variance,
                                         real* of_gamma, real* of_beta, int rows, int channels, real epsilon) {
    __shared__ real shared_gamma[ROWS][LANES];
    __shared__ real shared_beta[ROWS][LANES];
    int channel = blockIdx.x * LANES + threadIdx.x;
    real gamma_sum = 0, beta_sum = 0;
    if (channel < channels)
        for (int row = blockIdx.y * ROWS + threadIdx.y; row < rows; row += gridDim.y * ROWS) {
            long long i = (long long)row * channels + channel;
            gamma_sum += g[i] * (x[i] - mean[channel]);
            beta_sum += g[i];
        }
    gamma_sum = sum_of_rows(shared_gamma, gamma_sum);
    beta_sum = sum_of_rows(shared_beta, beta_sum);
    if (threadIdx.y == 0 && channel < channels) {
        of_gamma[(long long)blockIdx.y * channels + channel] = gamma_sum / sqrt(variance[channel] + epsilon);
        of_beta[(long long)blockIdx.y * channels + channel] = beta_sum;
    }
}

#define ELEMENT                                                     \
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; \
    if (i >= size) return;                                          \
    int c = channel_of(i, channels);

extern "C" __global__ void normalize(const real* x, const real* gamma, const real* beta, const real* mean,
                                     const real* variance, real* y, long long size, int channels, real epsilon) {
    ELEMENT
    y[i] = (x[i] - mean[c]) / sqrt(variance[c] + epsilon) * gamma[c] + beta[c];
}

// `share` is 1 / rows.
extern "C" __global__ void input_gradient(const real* g, const real* x, const real* gamma, const real* mean,
                                          const real* variance, const real* of_gamma, const real* of_beta, real* dx,
                                          long long size, int channels, real epsilon, real share) {
    ELEMENT
    real r = 1 / sqrt(variance[c] + epsilon), normalized = (x[i] - mean[c]) * r;
    dx[i] = gamma[c] * r * (g[i] - of_beta[c] * share - normalized * of_gamma[c] * share);
}

extern "C" __global__ void relu_in_place(real* y, long long size, int channels, real slope) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    if (y[i] < 0) y[i] *= slope;
}

// The gradient below a ReLU. At y = 0 one with a slope passes it on, one without does not.
extern "C" __global__ void through_relu(const real* g, const real* y, real* before, long long size, int channels,
                                        real slope) {
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    if (slope > 0)
        before[i] = y[i] >= 0 ? g[i] : slope * g[i];
    else
        before[i] = y[i] > 0 ? g[i] : 0;
}

extern "C" __global__ void scale_and_shift(const real* x, const real* scale, const real* shift, real* y, long long size,
                                           int channels) {
    ELEMENT
    y[i] = x[i] * scale[c] + shift[c];
}
