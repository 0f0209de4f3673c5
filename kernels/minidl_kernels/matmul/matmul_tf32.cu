// The product of matrices on tensor cores, in TF32: step 4 after those of matmul.cu. A kernel for each way in which the
// factors lie in memory, so that neighbouring threads always fetch neighbouring numbers.

#include "tensor_core.cuh"
#include "tensor_slab.cuh"
#include "tensor_tile.cuh"

typedef AlongInner<TILE_ROWS, Strided> Rows;             // a: (rows, inner)
typedef AlongOuter<TILE_ROWS, Strided> RowsTurned;       // a: (inner, rows)
typedef AlongOuter<TILE_COLUMNS, Strided> Columns;       // b: (inner, columns)
typedef AlongInner<TILE_COLUMNS, Strided> ColumnsTurned;  // b: (columns, inner)

struct Matrices {  // of a stack
    int rows, columns, inner;
    long long each_a, each_b;  // elements from a matrix to the next; 0 where there is only one
};

template <class A, class B>
__device__ void product(typename A::Slab& a_slab, typename B::Slab& b_slab, Strided a, Strided b, float* out, Matrices m) {
    a.numbers += blockIdx.z * m.each_a;
    b.numbers += blockIdx.z * m.each_b;
    out += blockIdx.z * (long long)m.rows * m.columns;
    product_tile(
        a_slab, b_slab, A(a, blockIdx.x * TILE_ROWS, m.rows, 0), B(b, blockIdx.y * TILE_COLUMNS, m.columns, 0), m.rows,
        m.columns, 0, m.inner,
        [=](int row, int column, float sum) { out[row * (long long)m.columns + column] = sum; });
}

extern "C" __global__ void __launch_bounds__(THREADS)
    matmul_tf32(const float* a, const float* b, float* out, Matrices m) {
    __shared__ Rows::Slab a_slab;
    __shared__ Columns::Slab b_slab;
    product<Rows, Columns>(a_slab, b_slab, {a, m.inner, 1}, {b, 1, m.columns}, out, m);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    matmul_tf32_turned_b(const float* a, const float* b, float* out, Matrices m) {
    __shared__ Rows::Slab a_slab;
    __shared__ ColumnsTurned::Slab b_slab;
    product<Rows, ColumnsTurned>(a_slab, b_slab, {a, m.inner, 1}, {b, m.inner, 1}, out, m);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    matmul_tf32_turned_a(const float* a, const float* b, float* out, Matrices m) {
    __shared__ RowsTurned::Slab a_slab;
    __shared__ Columns::Slab b_slab;
    product<RowsTurned, Columns>(a_slab, b_slab, {a, 1, m.rows}, {b, 1, m.columns}, out, m);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    matmul_tf32_turned_both(const float* a, const float* b, float* out, Matrices m) {
    __shared__ RowsTurned::Slab a_slab;
    __shared__ ColumnsTurned::Slab b_slab;
    product<RowsTurned, ColumnsTurned>(a_slab, b_slab, {a, 1, m.rows}, {b, m.inner, 1}, out, m);
}

// A Dense layer: the same product, and bias and ReLU while the result is still in registers.
extern "C" __global__ void __launch_bounds__(THREADS)
    dense_forward_tf32(const float* x, const float* w, const float* bias, float* y, int rows, int columns, int inner,
                       int relu) {
    __shared__ Rows::Slab x_slab;
    __shared__ Columns::Slab w_slab;
    Rows of_x({x, inner, 1}, blockIdx.x * TILE_ROWS, rows, 0);
    Columns of_w({w, 1, columns}, blockIdx.y * TILE_COLUMNS, columns, 0);
    product_tile(x_slab, w_slab, of_x, of_w, rows, columns, 0, inner, [=](int row, int column, float sum) {
        sum += bias[column];
        y[row * (long long)columns + column] = relu && sum < 0 ? 0 : sum;
    });
}
