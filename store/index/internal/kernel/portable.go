//go:build !amd64 || purego

package kernel

func dots(out []int32, rows []int8, query []int16) { dotsPortable(out, rows, query) }

func fineDot(coarse []int8, fine []int16, query []float32) float32 {
	return fineDotPortable(coarse, fine, query)
}
