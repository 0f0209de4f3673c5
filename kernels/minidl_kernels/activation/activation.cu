// Elementwise activations: one thread an element. Neighbouring threads touch neighbouring elements, so a warp reads and
// writes whole lines of memory; there is nothing else to win in a pass that memory limits.

#include "channel.cuh"
#include "element.cuh"

extern "C" __global__ void relu_forward(const real* x, real* y, long long size) {
    ELEMENT
    y[i] = x[i] <= 0 ? 0 : x[i];  // not fmax, which would make 0 of NaN
}

extern "C" __global__ void relu_gradient(const real* g, const real* y, real* dx, long long size) {
    ELEMENT
    dx[i] = y[i] > 0 ? g[i] : 0;
}

extern "C" __global__ void leaky_relu_forward(const real* x, real* y, long long size, real slope) {
    ELEMENT
    y[i] = x[i] >= 0 ? x[i] : slope * x[i];
}

extern "C" __global__ void leaky_relu_gradient(
    const real* g, const real* x, real* dx, long long size, real slope) {
    ELEMENT
    dx[i] = x[i] >= 0 ? g[i] : slope * g[i];
}

extern "C" __global__ void sigmoid_forward(const real* x, real* y, long long size) {
    ELEMENT
    real e = exp(-fabs(x[i]));  // never overflows
    y[i] = (x[i] < 0 ? e : 1) / (1 + e);
}

extern "C" __global__ void sigmoid_gradient(const real* g, const real* y, real* dx, long long size) {
    ELEMENT
    dx[i] = g[i] * y[i] * (1 - y[i]);
}

extern "C" __global__ void tanh_forward(const real* x, real* y, long long size) {
    ELEMENT
    y[i] = tanh(x[i]);
}

extern "C" __global__ void tanh_gradient(const real* g, const real* y, real* dx, long long size) {
    ELEMENT
    dx[i] = g[i] * (1 - y[i] * y[i]);
}

extern "C" __global__ void bias_relu_forward(const real* x, const real* b, real* y, long long size, int channels) {
    ELEMENT
    real sum = x[i] + b[channel_of(i, channels)];
    y[i] = sum <= 0 ? 0 : sum;
}
