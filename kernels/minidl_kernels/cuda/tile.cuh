// The heart of every product: one block of 256 threads makes a tile of 64 x 64 results, each thread 4 x 4 of them.
//
// The inner sum is cut into slabs of 16. All threads fetch a slab of both factors into shared memory, wait for each
// other, and multiply: a number that was fetched once is used 64 times, and one that a thread read from shared memory
// four times. Where the factors come from is the caller's: a(row, k) and b(k, column) may be matrices or pictures.

const int TILE = 64, DEPTH = 16, EACH = 4, THREADS = TILE / EACH * (TILE / EACH);

// Columns of padding: threads that write down a column of the tile would all meet in one bank of shared memory.
typedef real Tile[DEPTH][TILE + 1];

template <class A, class B, class Store>
__device__ void product_tile(Tile& a_tile, Tile& b_tile, int rows, int columns, int from, int to, A a, B b, Store store) {
    int first_row = blockIdx.x * TILE, first_column = blockIdx.y * TILE;
    int row = threadIdx.x / (TILE / EACH) * EACH, column = threadIdx.x % (TILE / EACH) * EACH;
    real sums[EACH][EACH] = {};
    for (int slab = from; slab < to; slab += DEPTH) {
        for (int i = threadIdx.x; i < TILE * DEPTH; i += THREADS) {
            int r = i / DEPTH, k = i % DEPTH;  // a's neighbours are along k, b's along its columns
            a_tile[k][r] = first_row + r < rows && slab + k < to ? a(first_row + r, slab + k) : 0;
            int c = i % TILE, l = i / TILE;
            b_tile[l][c] = first_column + c < columns && slab + l < to ? b(slab + l, first_column + c) : 0;
        }
        __syncthreads();
        for (int k = 0; k < DEPTH; k++) {
            real left[EACH], right[EACH];
            for (int i = 0; i < EACH; i++) left[i] = a_tile[k][row + i], right[i] = b_tile[k][column + i];
            for (int i = 0; i < EACH; i++)
                for (int j = 0; j < EACH; j++) sums[i][j] += left[i] * right[j];
        }
        __syncthreads();  // or a quick thread would fetch the next slab over this one
    }
    for (int i = 0; i < EACH; i++)
        for (int j = 0; j < EACH; j++)
            if (first_row + row + i < rows && first_column + column + j < columns)
                store(first_row + row + i, first_column + column + j, sums[i][j]);
}
