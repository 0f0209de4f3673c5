// The heart of every product on tensor cores: a block of 8 warps makes a tile of 128 x 64 results, each warp 32 x 32 of
// them with 2 x 4 steps of a tensor core (tensor_core.cuh) for 8 places of the inner sum.
//
// tile.cuh tells the same story with plain multiply-adds. Here a slab is fetched into registers while the one before is
// multiplied (tensor_slab.cuh): the tensor cores would otherwise wait for memory most of the time.

const int TILE_ROWS = 128, TILE_COLUMNS = 64, WARP_ROWS = 32, WARP_COLUMNS = 32;
const int DOWN = WARP_ROWS / CORE_ROWS, ACROSS = WARP_COLUMNS / CORE_COLUMNS;

// A fetches the rows, B the columns; from <= k < to is the inner sum.
template <class A, class B, class Store>
__device__ void product_tile(typename A::Slab& a_slab, typename B::Slab& b_slab, A a, B b, int rows, int columns, int from,
                             int to, Store store) {
    int warp = threadIdx.x / 32, group = threadIdx.x % 32 / 4, place = threadIdx.x % 4;
    int row = warp / (TILE_COLUMNS / WARP_COLUMNS) * WARP_ROWS + group;
    int column = warp % (TILE_COLUMNS / WARP_COLUMNS) * WARP_COLUMNS;
    float sums[DOWN][ACROSS][4] = {};
    a.fetch(to);
    b.fetch(to);
    for (int slab = from; slab < to; slab += DEPTH) {
        a.keep(a_slab);
        b.keep(b_slab);
        __syncthreads();
        a.fetch(to);  // beyond the end these are zeros, and nothing is read
        b.fetch(to);
#pragma unroll
        for (int k = place; k < DEPTH; k += CORE_DEPTH) {
            unsigned left[DOWN][4], right[ACROSS][2];
#pragma unroll
            for (int i = 0; i < DOWN; i++)
                for (int part = 0; part < 4; part++)
                    left[i][part] = A::at(a_slab, row + i * CORE_ROWS + part % 2 * 8, k + part / 2 * 4);
#pragma unroll
            for (int j = 0; j < ACROSS; j++)
                for (int part = 0; part < 2; part++)
                    right[j][part] = B::at(b_slab, column + j * CORE_COLUMNS + group, k + part * 4);
#pragma unroll
            for (int i = 0; i < DOWN; i++)
                for (int j = 0; j < ACROSS; j++) multiply_add(sums[i][j], left[i], right[j]);
        }
        __syncthreads();  // or a quick warp would put down the next slab over this one
    }
    int first_row = blockIdx.x * TILE_ROWS + row, first_column = blockIdx.y * TILE_COLUMNS + column + 2 * place;
#pragma unroll
    for (int i = 0; i < DOWN; i++)
        for (int j = 0; j < ACROSS; j++)
            for (int part = 0; part < 4; part++) {
                int r = first_row + i * CORE_ROWS + part / 2 * 8, c = first_column + j * CORE_COLUMNS + part % 2;
                if (r < rows && c < columns) store(r, c, sums[i][j][part]);
            }
}
