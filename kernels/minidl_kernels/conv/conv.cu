// Convolutions as products of matrices that are never made (implicit GEMM): tile.cuh asks for a number of a factor, and
// gets it from where it stands in the pictures. A cell of the padding is a zero.
//
//                   rows of the result           inner sum                    columns
//   forward         places (n, i, j)             window cells, channels       filters
//   input gradient  cells (n, row, column)       window cells, filters        channels
//   kernel gradient window cells, channels       places (n, i, j)             filters

#include "tile.cuh"
#include "window.cuh"

// x at the place `place` through the window cell `inner` = ((di * window_columns) + dj) * channels + channel.
__device__ real seen(const real* x, Window w, int place, int inner) {
    Cell at = cell_of(place, w.rows, w.columns, 1), through = cell_of(inner, w.window_rows, w.window_columns, w.channels);
    int row = at.row * w.stride_rows + through.row - w.top;
    int column = at.column * w.stride_columns + through.column - w.left;
    bool inside = 0 <= row && row < w.height && 0 <= column && column < w.width;
    return inside ? x[((at.picture * w.height + row) * w.width + column) * w.channels + through.channel] : 0;
}

extern "C" __global__ void __launch_bounds__(THREADS)
    conv_forward(const real* x, const real* kernel, const real* bias, real* y, Window w, int filters, int biased,
                 int relu) {
    __shared__ Tile of_x;
    __shared__ Tile of_kernel;
    int inner = w.window_rows * w.window_columns * w.channels;
    product_tile(
        of_x, of_kernel, w.pictures * w.rows * w.columns, filters, 0, inner,
        [=](int place, int k) { return seen(x, w, place, k); },
        [=](int k, int filter) { return kernel[k * filters + filter]; },
        [=](int place, int filter, real sum) {
            if (biased) sum += bias[filter];
            y[place * filters + filter] = relu && sum < 0 ? 0 : sum;
        });
}

extern "C" __global__ void __launch_bounds__(THREADS)
    conv_input_gradient(const real* g, const real* kernel, real* dx, Window w, int filters) {
    __shared__ Tile of_g;
    __shared__ Tile of_kernel;
    product_tile(
        of_g, of_kernel, w.pictures * w.height * w.width, w.channels, 0, w.window_rows * w.window_columns * filters,
        [=](int cell, int k) -> real {
            Cell at = cell_of(cell, w.height, w.width, 1), through = cell_of(k, w.window_rows, w.window_columns, filters);
            int down = at.row + w.top - through.row, along = at.column + w.left - through.column;
            if (down < 0 || along < 0 || down % w.stride_rows || along % w.stride_columns) return 0;
            int i = down / w.stride_rows, j = along / w.stride_columns;
            if (i >= w.rows || j >= w.columns) return 0;
            return g[((at.picture * w.rows + i) * w.columns + j) * filters + through.channel];
        },
        [=](int k, int channel) { return kernel[(k / filters * w.channels + channel) * filters + k % filters]; },
        [=](int cell, int channel, real sum) { dx[cell * w.channels + channel] = sum; });
}

// The result is small and the sum long, so blockIdx.z takes `each` places of it; columns.cu adds the slices.
extern "C" __global__ void __launch_bounds__(THREADS)
    conv_kernel_gradient(const real* x, const real* g, real* sums, Window w, int filters, int each) {
    __shared__ Tile of_x;
    __shared__ Tile of_g;
    int rows = w.window_rows * w.window_columns * w.channels;
    int from = blockIdx.z * each, to = min(from + each, w.pictures * w.rows * w.columns);
    sums += (long long)blockIdx.z * rows * filters;
    product_tile(
        of_x, of_g, rows, filters, from, to, [=](int inner, int place) { return seen(x, w, place, inner); },
        [=](int place, int filter) { return g[place * filters + filter]; },
        [=](int inner, int filter, real sum) { sums[inner * filters + filter] = sum; });
}
