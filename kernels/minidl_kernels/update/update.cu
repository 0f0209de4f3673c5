// Updates of all weights of a model in one launch: tables of pointers come as parameters. A model has many small arrays,
// and a launch for each would take longer than its work.

const int MOST = 64;  // arrays of one launch: the tables are parameters, and those may have 4 KB together

struct Arrays {
    real* at[MOST];
};

struct Extents {
    long long size[MOST];
    int first[MOST];  // block of each array
    int count;
};

// Where a number stands in memory; null: it came as a parameter. A recorded step (graphs.py) passes the same parameters at
// every launch, and the learning rate changes.
struct Place {
    const real* at;
};

// The array that this block works on, and the element of this thread.
#define ELEMENT                                                                                         \
    int a = 0;                                                                                          \
    while (a + 1 < extents.count && extents.first[a + 1] <= blockIdx.x) a++;                            \
    long long i = (long long)(blockIdx.x - extents.first[a]) * blockDim.x + threadIdx.x;                \
    if (i >= extents.size[a]) return;

extern "C" __global__ void sgd_step(Arrays w, Arrays g, Extents extents, real rate, Place place) {
    ELEMENT
    if (place.at) rate = *place.at;
    w.at[a][i] -= rate * g.at[a][i];
}

extern "C" __global__ void momentum_step(Arrays w, Arrays g, Arrays m, Extents extents, real rate, Place place,
                                         real momentum, int nesterov) {
    ELEMENT
    if (place.at) rate = *place.at;
    real step = rate * g.at[a][i];
    real moment = momentum * m.at[a][i] - step;
    m.at[a][i] = moment;
    w.at[a][i] += nesterov ? momentum * moment - step : moment;
}

// `keep_1` is 1 - beta_1: rounded once, where 1 minus a rounded beta would lose digits.
extern "C" __global__ void adam_step(Arrays w, Arrays g, Arrays m, Arrays v, Extents extents, real rate, Place place,
                                     real keep_1, real keep_2, real epsilon) {
    ELEMENT
    if (place.at) rate = *place.at;
    real gradient = g.at[a][i];
    real first = m.at[a][i] + (gradient - m.at[a][i]) * keep_1;
    real second = v.at[a][i] + (gradient * gradient - v.at[a][i]) * keep_2;
    m.at[a][i] = first;
    v.at[a][i] = second;
    w.at[a][i] -= first * rate / (sqrt(second) + epsilon);
}

extern "C" __global__ void rmsprop_step(Arrays w, Arrays g, Arrays v, Extents extents, real rate, Place place, real rho,
                                        real keep, real epsilon) {
    ELEMENT
    if (place.at) rate = *place.at;
    real gradient = g.at[a][i];
    real square = rho * v.at[a][i] + keep * gradient * gradient;
    v.at[a][i] = square;
    w.at[a][i] -= rate * gradient / sqrt(square + epsilon);
}
