// What the threads of a launch ask of memory, counted: with -fsanitize=thread a compiler calls a function before each
// access, and these look where it goes. What a compiler keeps in registers is no access, here as on a GPU.

#define UNCOUNTED __attribute__((no_sanitize("thread")))

SHIM_EXPORT const uintptr_t* shim_arrays;  // begin and end of each array; two zeros come last
const uintptr_t shim_no_arrays[2] = {};
const uintptr_t* shim_arrays = shim_no_arrays;

UNCOUNTED inline void shim_count(const void* where, unsigned size, bool store) {
    using namespace shim;
    const char* at = (const char*)where;
    if (&__start_shared_zone <= at && at < &__stop_shared_zone) {
        store ? counts.shared_stores++ : counts.shared_loads++;
        return;
    }
    for (const uintptr_t* array = shim_arrays; array[1]; array += 2)
        if (array[0] <= (uintptr_t)at && (uintptr_t)at < array[1]) {
            store ? counts.stores++ : counts.loads++;
            counts.bytes += size;
        }
}

#define SHIM_ACCESSES(size)                                                                            \
    extern "C" UNCOUNTED void __tsan_read##size(void* at) { shim_count(at, size, false); }             \
    extern "C" UNCOUNTED void __tsan_write##size(void* at) { shim_count(at, size, true); }             \
    extern "C" UNCOUNTED void __tsan_unaligned_read##size(void* at) { shim_count(at, size, false); }   \
    extern "C" UNCOUNTED void __tsan_unaligned_write##size(void* at) { shim_count(at, size, true); }
SHIM_ACCESSES(1)
SHIM_ACCESSES(2)
SHIM_ACCESSES(4)
SHIM_ACCESSES(8)
SHIM_ACCESSES(16)

extern "C" {  // structures are on a thread's own stack; nothing is to be done where functions begin and end
UNCOUNTED void __tsan_read_range(void*, long) {}
UNCOUNTED void __tsan_write_range(void*, long) {}
UNCOUNTED void* __tsan_memcpy(void* to, const void* from, size_t size) { return memcpy(to, from, size); }
UNCOUNTED void* __tsan_memset(void* to, int value, size_t size) { return memset(to, value, size); }
UNCOUNTED void __tsan_init() {}
UNCOUNTED void __tsan_func_entry(void*) {}
UNCOUNTED void __tsan_func_exit(void*) {}
}
