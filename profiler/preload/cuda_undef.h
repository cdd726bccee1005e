/* SPDX-License-Identifier: MIT */
/* Ends what the lines of cuda.def and cuda_driver.def mean; no guard, for it is included often. */
#undef CUDA_CALL
#undef CUDA_CALL_PTSZ
#undef CUDA_CALL_PTDS
#undef CUDA_ALLOC
#undef CUDA_ALLOC_PTSZ
#undef CUDA_FREE
#undef CUDA_FREE_PTSZ
#undef CUDA_LAUNCH_PTSZ
#undef CUDA_WAIT
#undef CUDA_WAIT_PTSZ
#undef CUDA_MARK_PTSZ
#undef CUDA_CAPTURE_PTSZ
#undef CUDA_DEVICE
#undef CUDA_RESET
#undef CUDA_CONTEXT
#undef CUDA_CURRENT
