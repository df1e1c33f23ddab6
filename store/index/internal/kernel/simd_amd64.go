//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

func simd() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }

func dots(out []int32, rows []int8, query []int16) {
	if simd() {
		dotsAVX2(&out[0], &rows[0], &query[0], len(out), len(query))
		return
	}
	dotsPortable(out, rows, query)
}

func fineDot(coarse []int8, fine []int16, query []float32) float32 {
	if simd() {
		return fineDotAVX2(&coarse[0], &fine[0], &query[0], len(query))
	}
	return fineDotPortable(coarse, fine, query)
}
