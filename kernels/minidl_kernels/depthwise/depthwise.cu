// Depthwise convolution: few products for each number read, so memory is what limits it, and one thread a result does.
// Output channel q belongs to input channel q / multiplier; a kernel (kh, kw, C, M) reads as (window cell, q).

#include "rows.cuh"
#include "window.cuh"

extern "C" __global__ void depthwise_forward(const real* x, const real* kernel, real* y, Window w, int multiplier) {
    int i = blockIdx.x * blockDim.x + threadIdx.x, outputs = w.channels * multiplier;
    if (i >= w.pictures * w.rows * w.columns * outputs) return;
    Cell at = cell_of(i, w.rows, w.columns, outputs);
    real sum = 0;
    for (int di = 0; di < w.window_rows; di++)
        for (int dj = 0; dj < w.window_columns; dj++) {
            int row = at.row * w.stride_rows + di - w.top, column = at.column * w.stride_columns + dj - w.left;
            if (0 <= row && row < w.height && 0 <= column && column < w.width)
                sum += x[((at.picture * w.height + row) * w.width + column) * w.channels + at.channel / multiplier] *
                       kernel[(di * w.window_columns + dj) * outputs + at.channel];
        }
    y[i] = sum;
}

extern "C" __global__ void depthwise_input_gradient(const real* g, const real* kernel, real* dx, Window w,
                                                    int multiplier) {
    int cell = blockIdx.x * blockDim.x + threadIdx.x, outputs = w.channels * multiplier;
    if (cell >= w.pictures * w.height * w.width * w.channels) return;
    Cell at = cell_of(cell, w.height, w.width, w.channels);
    Range down = places(at.row, w.top, w.window_rows, w.stride_rows, w.rows);
    Range along = places(at.column, w.left, w.window_columns, w.stride_columns, w.columns);
    real sum = 0;
    for (int i = down.first; i < down.end; i++)
        for (int j = along.first; j < along.end; j++) {
            int di = at.row + w.top - i * w.stride_rows, dj = at.column + w.left - j * w.stride_columns;
            for (int m = 0; m < multiplier; m++)
                sum += g[((at.picture * w.rows + i) * w.columns + j) * outputs + at.channel * multiplier + m] *
                       kernel[(di * w.window_columns + dj) * outputs + at.channel * multiplier + m];
        }
    dx[cell] = sum;
}

// blockIdx.y is the window cell; the places are shared by the rows of a block and by the slices along grid.z.
extern "C" __global__ void depthwise_kernel_gradient(const real* x, const real* g, real* sums, Window w, int multiplier) {
    __shared__ real shared[ROWS][LANES];
    int q = blockIdx.x * LANES + threadIdx.x, outputs = w.channels * multiplier;
    int di = blockIdx.y / w.window_columns, dj = blockIdx.y % w.window_columns;
    real sum = 0;
    if (q < outputs)
        for (int place = blockIdx.z * ROWS + threadIdx.y; place < w.pictures * w.rows * w.columns;
             place += gridDim.z * ROWS) {
            Cell at = cell_of(place, w.rows, w.columns, 1);
            int row = at.row * w.stride_rows + di - w.top, column = at.column * w.stride_columns + dj - w.left;
            if (0 <= row && row < w.height && 0 <= column && column < w.width)
                sum += x[((at.picture * w.height + row) * w.width + column) * w.channels + q / multiplier] *
                       g[place * outputs + q];
        }
    sum = sum_of_rows(shared, sum);
    if (threadIdx.y == 0 && q < outputs) sums[(blockIdx.z * gridDim.y + blockIdx.y) * outputs + q] = sum;
}
