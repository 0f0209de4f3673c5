// The convolutions of conv.cu on tensor cores: the same products of matrices that are never made, in TF32.

#include "tensor_core.cuh"
#include "tensor_slab.cuh"
#include "tensor_tile.cuh"
#include "window.cuh"

struct Place {
    int above, row, column;  // rows of the pictures before this one; the cell under the window's first
};

struct Through {  // a cell of the window
    int row, column, channel;
};

__device__ void next_through(Through& at, int by, int columns, int channels) {
    for (at.channel += by; at.channel >= channels; at.channel -= channels)
        if (++at.column == columns) at.column = 0, at.row++;
}

// x under the window: places are rows of the result, window cells and channels are the inner sum.
struct Windows {
    const float* x;
    Window w;
    typedef Place Outer;
    typedef Through Inner;

    __device__ Place outer(int place) {
        Cell at = cell_of(place, w.rows, w.columns, 1);
        return {at.picture * w.height, at.row * w.stride_rows - w.top, at.column * w.stride_columns - w.left};
    }
    __device__ Through inner(int k) {
        Cell at = cell_of(k, w.window_rows, w.window_columns, w.channels);
        return {at.row, at.column, at.channel};
    }
    __device__ void advance(Through& at, int by) { next_through(at, by, w.window_columns, w.channels); }
    __device__ float at(Place place, Through through) {
        int row = place.row + through.row, column = place.column + through.column;
        bool inside = (unsigned)row < (unsigned)w.height && (unsigned)column < (unsigned)w.width;
        return inside ? x[((place.above + row) * w.width + column) * w.channels + through.channel] : 0;
    }
};

// The same the other way round: window cells and channels are rows of the result, places the inner sum.
struct WindowsTurned {
    Windows windows;
    typedef Through Outer;
    typedef Place Inner;

    __device__ Through outer(int i) { return windows.inner(i); }
    __device__ Place inner(int k) { return windows.outer(k); }
    __device__ void advance(Place& at, int by) {
        const Window& w = windows.w;
        int columns = w.columns * w.stride_columns, rows = w.rows * w.stride_rows;
        for (at.column += by * w.stride_columns; at.column + w.left >= columns; at.column -= columns)
            if ((at.row += w.stride_rows) + w.top == rows) at.row = -w.top, at.above += w.height;
    }
    __device__ float at(Through through, Place place) { return windows.at(place, through); }
};

// g where the window of a place meets a cell: cells are rows of the result, window cells and filters the inner sum.
struct Gradients {
    const float* g;
    Window w;
    int filters;
    typedef Place Outer;
    typedef Through Inner;

    __device__ Place outer(int cell) {
        Cell at = cell_of(cell, w.height, w.width, 1);
        return {at.picture * w.rows, at.row + w.top, at.column + w.left};
    }
    __device__ Through inner(int k) {
        Cell at = cell_of(k, w.window_rows, w.window_columns, filters);
        return {at.row, at.column, at.channel};
    }
    __device__ void advance(Through& at, int by) { next_through(at, by, w.window_columns, filters); }
    __device__ float at(Place cell, Through through) {
        int down = cell.row - through.row, along = cell.column - through.column;
        int i = w.stride_rows == 1 ? down : down / w.stride_rows;
        int j = w.stride_columns == 1 ? along : along / w.stride_columns;
        bool met = i * w.stride_rows == down && j * w.stride_columns == along;
        bool inside = met && (unsigned)i < (unsigned)w.rows && (unsigned)j < (unsigned)w.columns;
        return inside ? g[((cell.above + i) * w.columns + j) * filters + through.channel] : 0;
    }
};

// The kernel with channels as columns of the result, window cells and filters as the inner sum.
struct KernelTurned {
    const float* kernel;
    int channels, filters;
    typedef int Outer;
    struct Inner {
        int cell, filter;  // elements before the window cell
    };

    __device__ int outer(int channel) { return channel * filters; }
    __device__ Inner inner(int k) { return {k / filters * channels * filters, k % filters}; }
    __device__ void advance(Inner& at, int by) {
        for (at.filter += by; at.filter >= filters; at.filter -= filters) at.cell += channels * filters;
    }
    __device__ float at(int channel, Inner inner) { return kernel[inner.cell + channel + inner.filter]; }
};

extern "C" __global__ void __launch_bounds__(THREADS)
    conv_forward_tf32(const float* x, const float* kernel, const float* bias, float* y, Window w, int filters,
                      int biased, int relu) {
    typedef AlongInner<TILE_ROWS, Windows> OfX;
    typedef AlongOuter<TILE_COLUMNS, Strided> OfKernel;
    __shared__ OfX::Slab x_slab;
    __shared__ OfKernel::Slab kernel_slab;
    int places = w.pictures * w.rows * w.columns, inner = w.window_rows * w.window_columns * w.channels;
    OfX of_x({x, w}, blockIdx.x * TILE_ROWS, places, 0);
    OfKernel of_kernel({kernel, 1, filters}, blockIdx.y * TILE_COLUMNS, filters, 0);
    product_tile(x_slab, kernel_slab, of_x, of_kernel, places, filters, 0, inner,
                 [=](int place, int filter, float sum) {
                     if (biased) sum += bias[filter];
                     y[place * filters + filter] = relu && sum < 0 ? 0 : sum;
                 });
}

extern "C" __global__ void __launch_bounds__(THREADS)
    conv_input_gradient_tf32(const float* g, const float* kernel, float* dx, Window w, int filters) {
    typedef AlongInner<TILE_ROWS, Gradients> OfG;
    typedef AlongInner<TILE_COLUMNS, KernelTurned> OfKernel;
    __shared__ OfG::Slab g_slab;
    __shared__ OfKernel::Slab kernel_slab;
    int cells = w.pictures * w.height * w.width, inner = w.window_rows * w.window_columns * filters;
    OfG of_g({g, w, filters}, blockIdx.x * TILE_ROWS, cells, 0);
    OfKernel of_kernel({kernel, w.channels, filters}, blockIdx.y * TILE_COLUMNS, w.channels, 0);
    product_tile(g_slab, kernel_slab, of_g, of_kernel, cells, w.channels, 0, inner,
                 [=](int cell, int channel, float sum) { dx[cell * w.channels + channel] = sum; });
}

// The result is small and the sum long, so blockIdx.z takes `each` places of it; columns.cu adds the slices.
extern "C" __global__ void __launch_bounds__(THREADS)
    conv_kernel_gradient_tf32(const float* x, const float* g, float* sums, Window w, int filters, int each) {
    typedef AlongOuter<TILE_ROWS, WindowsTurned> OfX;
    typedef AlongOuter<TILE_COLUMNS, Strided> OfG;
    __shared__ OfX::Slab x_slab;
    __shared__ OfG::Slab g_slab;
    int rows = w.window_rows * w.window_columns * w.channels;
    int from = blockIdx.z * each, to = min(from + each, w.pictures * w.rows * w.columns);
    sums += (long long)blockIdx.z * rows * filters;
    OfX of_x({{x, w}}, blockIdx.x * TILE_ROWS, rows, from);
    OfG of_g({g, 1, filters}, blockIdx.y * TILE_COLUMNS, filters, from);
    product_tile(x_slab, g_slab, of_x, of_g, rows, filters, from, to,
                 [=](int inner, int filter, float sum) { sums[inner * filters + filter] = sum; });
}
