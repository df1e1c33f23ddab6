package sqlite_test

import (
	"errors"
	"syscall"
	"testing"

	"grounded/jobs/jobstest"
)

func TestAFullDiskRefusesUploadsAndLosesNoJob(t *testing.T) {
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("only root may make a small file system")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	q := folder(dir).Open(t, jobstest.Options{})
	defer q.Close()
	jobstest.Full(t, q)
}
