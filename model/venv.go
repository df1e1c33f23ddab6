package model

import (
	"os"
	"path/filepath"
)

// FindVenv is the virtual environment of the local models, absolute, and how it was found: GROUNDED_VENV, or .venv in
// the working directory, beside the program, or beside the program's folder. If none is there it is where the
// working directory's would be.
func FindVenv(lookup func(string) (string, bool)) (path, how string) {
	if v, ok := lookup("GROUNDED_VENV"); ok && v != "" {
		if abs, err := filepath.Abs(v); err == nil {
			v = abs
		}
		return v, "GROUNDED_VENV"
	}
	const name = ".venv"
	here, err := filepath.Abs(name)
	if err != nil {
		here = name
	}
	if isFolder(here) {
		return here, "working directory"
	}
	if program, err := os.Executable(); err == nil {
		if resolved, err := filepath.EvalSymlinks(program); err == nil {
			program = resolved
		}
		folder := filepath.Dir(program)
		for _, beside := range []string{folder, filepath.Dir(folder)} {
			if candidate := filepath.Join(beside, name); isFolder(candidate) {
				return candidate, "beside the program"
			}
		}
	}
	return here, "not there yet"
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
