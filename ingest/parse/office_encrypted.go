package parse

import (
	"bytes"

	"github.com/xuri/excelize/v2"
)

// officeWithPassword is the name of the stream in which Office keeps an encrypted document.
var officeWithPassword = []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")

// readOnlyPassword is that of workbooks which Excel encrypts only so that they are not changed by accident; it opens
// them without asking (MS-OFFCRYPTO, 2.1.1).
const readOnlyPassword = "VelvetSweatshop"

// decrypted returns the input with an Office document that is encrypted in the clear, if one of the passwords opens it.
func (in Input) decrypted() Input {
	if !bytes.HasPrefix(in.Data, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) || !bytes.Contains(in.Data, officeWithPassword) {
		return in
	}
	for _, password := range append([]string{readOnlyPassword}, in.Passwords...) {
		data, err := excelize.Decrypt(in.Data, &excelize.Options{Password: password})
		if err == nil && bytes.HasPrefix(data, []byte("PK\x03\x04")) {
			in.Data = data
			return in
		}
	}
	return in
}
