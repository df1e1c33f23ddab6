package ingest

import "golang.org/x/sys/unix"

// noNotices says why a folder's file system does not tell of changes that others make; "" if it does.
func noNotices(folder string) string {
	var s unix.Statfs_t
	if unix.Statfs(folder, &s) != nil {
		return ""
	}
	switch uint32(s.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, unix.CODA_SUPER_MAGIC,
		unix.CEPH_SUPER_MAGIC, unix.V9FS_MAGIC, unix.FUSE_SUPER_MAGIC, 0x786f4256 /* VirtualBox */ :
		return "the folder is on a network or shared file system"
	}
	return ""
}
