// Pooling of pictures (NHWC). One thread a result, channels along the threads: a warp reads neighbouring numbers.

#include "window.cuh"

// Calls `visit(index in the pictures)` for the cells of a window that lie in the picture, in row-major order.
template <class Visit> __device__ int each_cell(Window w, int picture, int i, int j, int channel, Visit visit) {
    int cells = 0;
    for (int row = max(i * w.stride_rows - w.top, 0); row < min(i * w.stride_rows - w.top + w.window_rows, w.height); row++)
        for (int column = max(j * w.stride_columns - w.left, 0);
             column < min(j * w.stride_columns - w.left + w.window_columns, w.width); column++) {
            visit(((picture * w.height + row) * w.width + column) * w.channels + channel);
            cells++;
        }
    return cells;
}

// The first maximum; the first NaN beats everything.
__device__ int winner(const real* x, Window w, int picture, int i, int j, int channel) {
    int best = -1;
    real most = 0;
    each_cell(w, picture, i, j, channel, [&](int cell) {
        real value = x[cell];
        if (best < 0 || value > most || (value != value && most == most)) {
            best = cell;
            most = value;
        }
    });
    return best;
}

// A thread for each place of the window and channel ...
#define PLACE                                                         \
    int place = blockIdx.x * blockDim.x + threadIdx.x;                \
    if (place >= w.pictures * w.rows * w.columns * w.channels) return; \
    Cell at = cell_of(place, w.rows, w.columns, w.channels);

// ... or for each number of the pictures. Gradients are gathered: a thread looks at all windows that hold its cell, so
// no two threads add to one number, and sums have one order.
#define CELL                                                                                      \
    int cell = blockIdx.x * blockDim.x + threadIdx.x;                                             \
    if (cell >= w.pictures * w.height * w.width * w.channels) return;                             \
    Cell at = cell_of(cell, w.height, w.width, w.channels);                                       \
    Range down = places(at.row, w.top, w.window_rows, w.stride_rows, w.rows);                     \
    Range along = places(at.column, w.left, w.window_columns, w.stride_columns, w.columns);

__device__ int output_index(Window w, int picture, int i, int j, int channel) {
    return ((picture * w.rows + i) * w.columns + j) * w.channels + channel;
}

extern "C" __global__ void max_pool_forward(const real* x, real* y, Window w) {
    PLACE
    y[place] = x[winner(x, w, at.picture, at.row, at.column, at.channel)];
}

extern "C" __global__ void max_pool_pick(const real* v, const real* x, real* y, Window w) {
    PLACE
    y[place] = v[winner(x, w, at.picture, at.row, at.column, at.channel)];
}

extern "C" __global__ void max_pool_gradient(const real* g, const real* x, real* dx, Window w) {
    CELL
    real sum = 0;
    for (int i = down.first; i < down.end; i++)
        for (int j = along.first; j < along.end; j++)
            if (winner(x, w, at.picture, i, j, at.channel) == cell) sum += g[output_index(w, at.picture, i, j, at.channel)];
    dx[cell] = sum;
}

extern "C" __global__ void average_pool_forward(const real* x, real* y, Window w) {
    PLACE
    real sum = 0;
    int cells = each_cell(w, at.picture, at.row, at.column, at.channel, [&](int cell) { sum += x[cell]; });
    y[place] = sum / cells;
}

extern "C" __global__ void average_pool_gradient(const real* g, real* dx, Window w) {
    CELL
    real sum = 0;
    for (int i = down.first; i < down.end; i++)
        for (int j = along.first; j < along.end; j++) {
            int cells = each_cell(w, at.picture, i, j, at.channel, [](int) {});
            sum += g[output_index(w, at.picture, i, j, at.channel)] / cells;
        }
    dx[cell] = sum;
}
