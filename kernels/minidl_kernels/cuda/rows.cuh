// Sums over the rows of a matrix: a block is 32 columns wide, so that a warp reads 32 neighbours, and eight rows high. The
// order of additions follows from the sizes alone: the same bits at every call.

const int LANES = 32, ROWS = 8;

// The sum over the rows of a block, for each lane; only the first row gets it.
__device__ real sum_of_rows(real (&shared)[ROWS][LANES], real value) {
    shared[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    real sum = 0;
    if (threadIdx.y == 0)
        for (int row = 0; row < ROWS; row++) sum += shared[row][threadIdx.x];
    return sum;
}
