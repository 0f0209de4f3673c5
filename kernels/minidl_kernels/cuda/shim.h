// A GPU made of one processor: what CUDA C++ text needs to be compiled by a host compiler and run, block after block.
//
// A thread of a block is a fiber: a stack of its own, left and entered again only at barriers and shuffles. So between
// two barriers one thread runs to the end before the next one begins, and a missing barrier is not a matter of luck: a
// thread sees nothing of what those after it write. Run in several orders, wrong results differ.
//
// Stricter than the hardware: shared memory is poisoned (all bits set: NaN) before every block; a barrier that some
// threads never reach, or reach on another line, is an error; so are an index outside of an array, an access outside
// of a buffer (shim.py puts each between pages that cannot be touched), and a shuffle from a lane that takes no part.

#include <csetjmp>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <math.h>
#include <ucontext.h>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __constant__ static const
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("shared_zone")))

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
dim3 threadIdx, blockIdx, blockDim, gridDim;  // not static: they change while a fiber sleeps in a call
const int warpSize = 32;

#define SHIM_EXPORT extern "C" __attribute__((visibility("default")))
struct ShimCounts {  // of a launch, over all threads: the fields of counts.py
    uint64_t loads, stores, bytes, shared_loads, shared_stores;  // where shim_counts.h is there
    uint64_t barriers, steps;                                    // of blocks, and of tensor cores
};
SHIM_EXPORT ShimCounts shim_counted;
ShimCounts shim_counted;

namespace shim {

ShimCounts& counts = shim_counted;
const int MOST_THREADS = 1024, STACK = 64 * 1024, WARP = 32;
enum State { READY, AT_BARRIER, AT_WARP, DONE };

struct Fiber {
    ucontext_t start;
    jmp_buf here;
    dim3 thread;
    State state;
    int line;       // of the barrier it waits at
    unsigned mask;  // of the lanes it waits for
    bool entered;
};

Fiber fibers[MOST_THREADS];
alignas(64) char stacks[MOST_THREADS][STACK];
uint64_t slots[MOST_THREADS];  // what each lane shows to the others in a shuffle
int turn[MOST_THREADS];  // the order of the threads
int threads, current;
jmp_buf scheduler;
sigjmp_buf outside;
void (*body)(void**);
void** arguments;
char* message;
uintptr_t fault;
alignas(16) char signal_stack[64 * 1024];
__attribute__((used)) __shared__ char always_there;  // so that there is such a section
extern "C" char __start_shared_zone __attribute__((visibility("hidden")));
extern "C" char __stop_shared_zone __attribute__((visibility("hidden")));

[[noreturn]] inline void fail(const char* format, ...) {
    int used = snprintf(message, 300, "thread (%u, %u, %u) of block (%u, %u, %u): ", threadIdx.x, threadIdx.y,
                        threadIdx.z, blockIdx.x, blockIdx.y, blockIdx.z);
    va_list values;
    va_start(values, format);
    vsnprintf(message + used, 500, format, values);
    va_end(values);
    siglongjmp(outside, 1);
}

inline void on_fault(int, siginfo_t* info, void*) {
    fault = (uintptr_t)info->si_addr;
    fail("an access outside of every array");
}

inline void enter() {
    body(arguments);
    fibers[current].state = DONE;
    _longjmp(scheduler, 1);
}

inline void resume(int i) {  // until the fiber waits or ends
    Fiber& fiber = fibers[i];
    current = i;
    threadIdx = fiber.thread;
    if (_setjmp(scheduler)) return;
    if (fiber.entered) _longjmp(fiber.here, 1);
    fiber.entered = true;
    setcontext(&fiber.start);
}

__attribute__((noinline)) void wait(State state, int line, unsigned mask = 0) {
    Fiber& fiber = fibers[current];
    fiber.state = state;
    fiber.line = line;
    fiber.mask = mask;
    if (!_setjmp(fiber.here)) _longjmp(scheduler, 1);
}

inline bool release_block() {  // where all threads wait at one barrier
    for (int i = 0; i < threads; i++)
        if (fibers[i].state != AT_BARRIER || fibers[i].line != fibers[0].line) return false;
    for (int i = 0; i < threads; i++) fibers[i].state = READY;
    counts.barriers++;
    return true;
}

inline bool release_warp(int i) {  // where all lanes of the mask that this one waits for wait at one place
    Fiber& fiber = fibers[i];
    int first = i - i % WARP;
    for (int lane = 0; lane < WARP; lane++)
        if (fiber.mask >> lane & 1) {
            Fiber& one = fibers[first + lane];
            if (first + lane >= threads || one.state != AT_WARP || one.line != fiber.line || one.mask != fiber.mask)
                return false;
        }
    unsigned mask = fiber.mask;
    for (int lane = 0; lane < WARP; lane++)
        if (mask >> lane & 1) fibers[first + lane].state = READY;
    return true;
}

inline void line_up(int order) {  // which thread runs as number i: forward, in reverse, or mixed over all warps
    auto divisor = [](int a, int b) { while (b) { int c = a % b; a = b; b = c; } return a; };
    int stride = threads * 0.618 + 1;
    while (divisor(stride, threads) != 1) stride++;
    for (int i = 0; i < threads; i++)
        turn[i] = order == 0 ? i : order == 1 ? threads - 1 - i : (i * stride + threads / 3) % threads;
}

inline void stuck() {
    int waiting = 0;
    while (fibers[waiting].state == DONE) waiting++;
    threadIdx = fibers[waiting].thread;
    for (int i = 0; i < threads; i++) {
        Fiber &a = fibers[waiting], &b = fibers[i];
        if (a.state == AT_BARRIER && b.state == DONE)
            fail("waits at __syncthreads() in line %d, but thread (%u, %u, %u) has returned", a.line, b.thread.x,
                 b.thread.y, b.thread.z);
        if (a.state == AT_BARRIER && (b.state != AT_BARRIER || b.line != a.line))
            fail("waits at __syncthreads() in line %d, thread (%u, %u, %u) waits in line %d", a.line, b.thread.x,
                 b.thread.y, b.thread.z, b.line);
    }
    fail("waits in line %d for lanes of mask %08x that do not come", fibers[waiting].line, fibers[waiting].mask);
}

inline void run_block() {
    memset(&__start_shared_zone, 0xFF, &__stop_shared_zone - &__start_shared_zone);
    for (int i = 0; i < threads; i++) {
        Fiber& fiber = fibers[i];
        getcontext(&fiber.start);
        fiber.start.uc_stack.ss_sp = stacks[i];
        fiber.start.uc_stack.ss_size = STACK;
        fiber.start.uc_link = nullptr;
        makecontext(&fiber.start, enter, 0);
        fiber.thread = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
        fiber.state = READY;
        fiber.entered = false;
    }
    for (bool done = false; !done;) {
        done = true;
        bool ran = false;
        for (int i = 0; i < threads; i++) {
            Fiber& fiber = fibers[turn[i]];
            if (fiber.state == READY) resume(turn[i]), ran = true;
            done = done && fiber.state == DONE;
            // A warp goes on as far as it can before others do: so one that misses a barrier runs far ahead.
            if (fiber.state == AT_WARP && release_warp(turn[i])) i = -1, done = true;
        }
        if (!done && !release_block() && !ran) stuck();
    }
}

inline int lane() { return current % WARP; }

template <class T> T exchange(unsigned mask, T value, int from, int line) {
    if (!(mask >> lane() & 1)) fail("line %d: a shuffle whose mask %08x leaves out the lane itself", line, mask);
    memcpy(&slots[current], &value, sizeof value);
    wait(AT_WARP, line, mask);
    if (!(mask >> from & 1)) fail("line %d: a shuffle from lane %d, which mask %08x leaves out", line, from, mask);
    T found;
    memcpy(&found, &slots[current - lane() + from], sizeof found);
    wait(AT_WARP, -line, mask);  // nobody shows the next value before all have read this one
    return found;
}

template <class T> T from_above(unsigned mask, T value, int by, int width, int line) {
    return exchange(mask, value, lane() % width + by < width ? lane() + by : lane(), line);
}

template <auto kernel> struct Call;
template <class... A, void (*kernel)(A...)> struct Call<kernel> {
    template <size_t... i> static void unpack(void** values, std::index_sequence<i...>) {
        kernel(*static_cast<std::remove_const_t<A>*>(values[i])...);
    }
    static void run(void** values) { unpack(values, std::index_sequence_for<A...>{}); }
    static constexpr int sizes[] = {(int)sizeof(A)..., 0};
};

struct Entry {
    void (*call)(void**);
    const int* sizes;  // of the parameters, in bytes; 0 ends them
};

}  // namespace shim

#define __syncthreads() shim::wait(shim::AT_BARRIER, __LINE__)
#define __syncwarp(...) shim::wait(shim::AT_WARP, __LINE__, (0xffffffffu, ##__VA_ARGS__))
#define __shfl_sync(mask, value, from) shim::exchange(mask, value, (from) % 32, __LINE__)
#define __shfl_xor_sync(mask, value, by) shim::exchange(mask, value, shim::lane() ^ (by), __LINE__)
#define __shfl_down_sync(mask, value, by) shim::from_above(mask, value, by, 32, __LINE__)

template <class T> T atomicAdd(T* where, T value) {
    T before = *where;
    *where += value;
    return before;
}
template <class T> T __ldg(const T* where) { return *where; }
inline float rsqrt(float x) { return 1 / ::sqrtf(x); }
inline double rsqrt(double x) { return 1 / ::sqrt(x); }
inline float rsqrtf(float x) { return 1 / ::sqrtf(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (uint64_t)a * b >> 32; }
template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T max(T a, T b) { return a < b ? b : a; }

// What the compiler's check of array bounds (-fsanitize=bounds) calls.
struct ShimPlace {
    const char* file;
    uint32_t line, column;
};
extern "C" void __ubsan_handle_out_of_bounds_abort(void* place, void* index) {
    shim::fail("line %u: index %lld outside of its array", ((ShimPlace*)place)->line, (long long)index);
}

SHIM_EXPORT const int* shim_sizes(int kernel);
extern shim::Entry shim_entries[];

SHIM_EXPORT int shim_launch(int kernel, const unsigned* grid, const unsigned* block, void** values, int order,
                           char* text, uintptr_t* where) {
    using namespace shim;
    body = shim_entries[kernel].call;
    arguments = values;
    message = text;
    fault = 0;
    counts = {};
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    threads = block[0] * block[1] * block[2];
    line_up(order);
    stack_t own = {}, old_stack;
    own.ss_sp = signal_stack;
    own.ss_size = sizeof signal_stack;
    sigaltstack(&own, &old_stack);
    struct sigaction catching = {}, old_segv, old_bus;
    catching.sa_sigaction = on_fault;
    catching.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &catching, &old_segv);
    sigaction(SIGBUS, &catching, &old_bus);
    int failed = sigsetjmp(outside, 1);
    if (!failed) {
        int64_t blocks = (int64_t)grid[0] * grid[1] * grid[2];
        for (int64_t b = 0; b < blocks; b++) {
            int64_t i = order == 1 ? blocks - 1 - b : b;
            blockIdx = {(unsigned)(i % grid[0]), (unsigned)(i / grid[0] % grid[1]), (unsigned)(i / grid[0] / grid[1])};
            run_block();
        }
    }
    sigaction(SIGSEGV, &old_segv, nullptr);
    sigaction(SIGBUS, &old_bus, nullptr);
    sigaltstack(&old_stack, nullptr);
    *where = fault;
    return failed;
}
