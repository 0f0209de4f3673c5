// Batch norm over the channels, which come last: sums over rows as in columns.cu, then one pass over the elements.
//
// A ReLU behind it is part of these passes: `slope` is what it multiplies by below 0, and `least` the smallest of its
// outputs y that lets a gradient through as it is. Without a ReLU that is -infinity, and the slope is 1.

#include "channel.cuh"
#include "element.cuh"
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

// The gradient below the ReLU. Not slope * g with a slope of 0, which would make NaN of infinity.
__device__ real through(real g, real y, real least, real slope) {
    return y >= least ? g : slope == 0 ? 0 : slope * g;
}

// sum(g * normalized x) and sum(g): both gradients of the parameters, in one pass.
extern "C" __global__ void gradient_sums(const real* g, const real* y, const real* x, const real* mean,
                                         const real* variance, real* of_gamma, real* of_beta, int rows, int channels,
                                         real epsilon, real least, real slope) {
    __shared__ real shared_gamma[ROWS][LANES];
    __shared__ real shared_beta[ROWS][LANES];
    int channel = blockIdx.x * LANES + threadIdx.x;
    real gamma_sum = 0, beta_sum = 0;
    if (channel < channels)
        for (int row = blockIdx.y * ROWS + threadIdx.y; row < rows; row += gridDim.y * ROWS) {
            long long i = (long long)row * channels + channel;
            real upstream = through(g[i], y[i], least, slope);
            gamma_sum += upstream * (x[i] - mean[channel]);
            beta_sum += upstream;
        }
    gamma_sum = sum_of_rows(shared_gamma, gamma_sum);
    beta_sum = sum_of_rows(shared_beta, beta_sum);
    if (threadIdx.y == 0 && channel < channels) {
        of_gamma[(long long)blockIdx.y * channels + channel] = gamma_sum / sqrt(variance[channel] + epsilon);
        of_beta[(long long)blockIdx.y * channels + channel] = beta_sum;
    }
}

#define ELEMENT_AND_CHANNEL \
    ELEMENT                 \
    int c = channel_of(i, channels);

extern "C" __global__ void normalize(const real* x, const real* gamma, const real* beta, const real* mean,
                                     const real* variance, real* y, long long size, int channels, real epsilon,
                                     real slope) {
    ELEMENT_AND_CHANNEL
    real value = (x[i] - mean[c]) / sqrt(variance[c] + epsilon) * gamma[c] + beta[c];
    y[i] = value < 0 ? slope * value : value;
}

// `share` is 1 / rows.
extern "C" __global__ void input_gradient(const real* g, const real* y, const real* x, const real* gamma,
                                          const real* mean, const real* variance, const real* of_gamma,
                                          const real* of_beta, real* dx, long long size, int channels, real epsilon,
                                          real least, real slope, real share) {
    ELEMENT_AND_CHANNEL
    real r = 1 / sqrt(variance[c] + epsilon), normalized = (x[i] - mean[c]) * r;
    real upstream = through(g[i], y[i], least, slope);
    dx[i] = gamma[c] * r * (upstream - of_beta[c] * share - normalized * of_gamma[c] * share);
}

extern "C" __global__ void scale_and_shift(const real* x, const real* scale, const real* shift, real* y, long long size,
                                           int channels) {
    ELEMENT_AND_CHANNEL
    y[i] = x[i] * scale[c] + shift[c];
}
