// The product of matrices on a GPU, in three steps. All take distances between rows and columns, so that a transposed
// matrix is the same memory read another way; blockIdx.z counts the matrices of a stack.

#include "tile.cuh"

struct Matrix {  // long long, or the place of an element of a large matrix would not fit
    long long across, along;  // elements from a row to the next, and from a column to the next
    long long each;           // elements from a matrix of the stack to the next; 0 where there is only one
};

// Step 1: one thread a result. Every number of a and b is fetched from memory again for each result that needs it.
extern "C" __global__ void matmul_naive(const real* a, const real* b, real* out, Matrix of_a, Matrix of_b, int rows,
                                        int columns, int inner) {
    int row = blockIdx.y * blockDim.y + threadIdx.y, column = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows || column >= columns) return;
    a += blockIdx.z * of_a.each;
    b += blockIdx.z * of_b.each;
    real sum = 0;
    for (int k = 0; k < inner; k++) sum += a[row * of_a.across + k * of_a.along] * b[k * of_b.across + column * of_b.along];
    out[(blockIdx.z * (long long)rows + row) * columns + column] = sum;
}

// Step 2: a block of 16 x 16 threads makes 16 x 16 results. It fetches a square of a and one of b into shared memory,
// one number a thread; each of them is then used by 16 threads, so memory is asked for a sixteenth.
const int SQUARE = 16;

extern "C" __global__ void matmul_tiled(const real* a, const real* b, real* out, Matrix of_a, Matrix of_b, int rows,
                                        int columns, int inner) {
    __shared__ real a_square[SQUARE][SQUARE];
    __shared__ real b_square[SQUARE][SQUARE];
    int row = blockIdx.y * SQUARE + threadIdx.y, column = blockIdx.x * SQUARE + threadIdx.x;
    a += blockIdx.z * of_a.each;
    b += blockIdx.z * of_b.each;
    real sum = 0;
    for (int start = 0; start < inner; start += SQUARE) {
        int k_of_a = start + threadIdx.x, k_of_b = start + threadIdx.y;
        bool in_a = row < rows && k_of_a < inner, in_b = column < columns && k_of_b < inner;
        a_square[threadIdx.y][threadIdx.x] = in_a ? a[row * of_a.across + k_of_a * of_a.along] : 0;
        b_square[threadIdx.y][threadIdx.x] = in_b ? b[k_of_b * of_b.across + column * of_b.along] : 0;
        __syncthreads();  // nobody multiplies before all have fetched
        for (int k = 0; k < SQUARE; k++) sum += a_square[threadIdx.y][k] * b_square[k][threadIdx.x];
        __syncthreads();  // nobody fetches before all have multiplied
    }
    if (row < rows && column < columns) out[(blockIdx.z * (long long)rows + row) * columns + column] = sum;
}

// Step 3: each thread makes 4 x 4 results in registers (tile.cuh), so a number read from shared memory is used four times.
extern "C" __global__ void __launch_bounds__(THREADS)
    matmul_blocked(const real* a, const real* b, real* out, Matrix of_a, Matrix of_b, int rows, int columns, int inner) {
    __shared__ Tile a_tile;
    __shared__ Tile b_tile;
    a += blockIdx.z * of_a.each;
    b += blockIdx.z * of_b.each;
    out += blockIdx.z * (long long)rows * columns;
    product_tile(
        a_tile, b_tile, rows, columns, 0, inner,
        [=](int row, int k) { return a[row * of_a.across + k * of_a.along]; },
        [=](int k, int column) { return b[k * of_b.across + column * of_b.along]; },
        [=](int row, int column, real sum) { out[row * (long long)columns + column] = sum; });
}

// A Dense layer: the same product, and bias and ReLU while the result is still in registers.
extern "C" __global__ void __launch_bounds__(THREADS)
    dense_forward(const real* x, const real* w, const real* bias, real* y, int rows, int columns, int inner, int relu) {
    __shared__ Tile x_tile;
    __shared__ Tile w_tile;
    product_tile(
        x_tile, w_tile, rows, columns, 0, inner, [=](int row, int k) { return x[row * (long long)inner + k]; },
        [=](int k, int column) { return w[k * (long long)columns + column]; },
        [=](int row, int column, real sum) {
            sum += bias[column];
            y[row * (long long)columns + column] = relu && sum < 0 ? 0 : sum;
        });
}
