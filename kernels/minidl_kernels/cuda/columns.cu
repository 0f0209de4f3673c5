// Sums over the rows of a matrix: gradients of biases, statistics of channels, and the second half of sums that many
// blocks have begun. A block takes 32 columns, so that a warp reads 32 neighbours; its eight rows, and the blocks along
// grid.y, share the rows of the matrix. Row y of `sums` is what the blocks of that y found.

#include "rows.cuh"

extern "C" __global__ void column_sum(const real* x, real* sums, int rows, int columns, real scale) {
    __shared__ real shared[ROWS][LANES];
    int column = blockIdx.x * LANES + threadIdx.x;
    real sum = 0;
    if (column < columns)
        for (int row = blockIdx.y * ROWS + threadIdx.y; row < rows; row += gridDim.y * ROWS)
            sum += x[(long long)row * columns + column];
    sum = sum_of_rows(shared, sum);
    if (threadIdx.y == 0 && column < columns) sums[(long long)blockIdx.y * columns + column] = sum * scale;
}
