// Windows that slide over pictures (NHWC), for convolution and pooling: window.py fills this structure.
struct Window {
    int pictures, height, width, channels;  // of the pictures
    int rows, columns;                      // places of the window: the size of the output
    int window_rows, window_columns, stride_rows, stride_columns, top, left;
};

struct Cell {
    int picture, row, column, channel;
};

__device__ Cell cell_of(int i, int rows, int columns, int channels) {
    return {i / channels / columns / rows, i / channels / columns % rows, i / channels % columns, i % channels};
}

// The places i, first <= i < end, of windows that hold a cell: i * stride - before <= cell < i * stride - before + window.
struct Range {
    int first, end;
};

__device__ Range places(int cell, int before, int window, int stride, int count) {
    int reach = cell + before - window + stride;  // floor(reach / stride) is the first, where that is not negative
    int last = (cell + before) / stride;
    return {reach > 0 ? reach / stride : 0, last < count - 1 ? last + 1 : count};
}
