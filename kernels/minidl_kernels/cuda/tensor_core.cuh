// One step of the tensor cores: the 32 lanes of a warp multiply 16 x 8 numbers by 8 x 8 together, and add to 16 x 8 sums.
//
// Each lane holds some numbers of each (PTX ISA, "Matrix fragments for mma.m16n8k8", .tf32). With group = lane / 4 and
// place = lane % 4:
//
//   a[0]     row group,     k place            b[0]   k place,     column group
//   a[1]     row group + 8, k place            b[1]   k place + 4, column group
//   a[2]     row group,     k place + 4        sums[0], sums[1]   row group,     columns 2 place, 2 place + 1
//   a[3]     row group + 8, k place + 4        sums[2], sums[3]   row group + 8, the same columns
//
// Factors are TF32: float32 with 10 bits of mantissa in place of 23. Products are exact, and added up in float32.

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#error "TF32 needs tensor cores of compute capability 8.0"
#endif

const int CORE_ROWS = 16, CORE_COLUMNS = 8, CORE_DEPTH = 8;

#ifndef SHIM  // which computes both by the table above (shim_tensor.h)
// The nearest TF32, halves away from zero.
__device__ unsigned to_tf32(float x) {
    unsigned rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(x));
    return rounded;
}

__device__ void multiply_add(float (&sums)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif
