package parse

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"hash/crc32"
	"io"
)

const (
	zipEncrypted = 1 << 0 // flags of a member (APPNOTE.TXT, 4.4.4)
	zipLate      = 1 << 3
	zipAES       = 99 // the method of members encrypted by WinZip's AES
)

// addEncrypted takes out a member with the first password that opens it.
func (u *unpacker) addEncrypted(name string, f *zip.File) error {
	sealed, err := readSealed(f)
	if err != nil {
		return u.refuse(name, f.Modified, err)
	}
	for _, password := range u.in.Passwords {
		packed, ok := sealed.open(f, []byte(password))
		if !ok {
			continue
		}
		content, ok := inflated(sealed.method, packed)
		if !ok {
			return u.refuse(name, f.Modified, packedStrangely(sealed.method))
		}
		// The old encryption takes one wrong password in 256 for right: the checksum tells.
		sum := crc32.NewIEEE()
		if n, err := io.Copy(sum, io.LimitReader(content, u.left)); n < u.left && (err != nil || sealed.checked && sum.Sum32() != f.CRC32) {
			continue
		}
		content, _ = inflated(sealed.method, packed)
		return u.add(name, f.Modified, content)
	}
	return u.refuse(name, f.Modified, errorf(Encrypted, "It needs a password; name it in ingest.passwords or with --password."))
}

// inflated unpacks what was packed by one of the two methods that encrypted members have.
func inflated(method uint16, packed []byte) (io.Reader, bool) {
	switch method {
	case zip.Store:
		return bytes.NewReader(packed), true
	case zip.Deflate:
		return flate.NewReader(bytes.NewReader(packed)), true
	}
	return nil, false
}

// sealedMember is the bytes of an encrypted member, and how they are to be read.
type sealedMember struct {
	bytes   []byte
	method  uint16 // by which it was packed
	checked bool   // the member has a CRC-32
	key     int    // bytes of the AES key; 0 for the old encryption
}

// readSealed looks at a member. The error says that it is encrypted in a way that is not known, or damaged.
func readSealed(f *zip.File) (sealedMember, *Error) {
	raw, err := f.OpenRaw()
	if err != nil {
		return sealedMember{}, notUnpacked()
	}
	s := sealedMember{method: f.Method, checked: true}
	if s.bytes, err = io.ReadAll(raw); err != nil {
		return sealedMember{}, notUnpacked()
	}
	if f.Method != zipAES {
		return s, nil
	}
	// AES Encryption Information: Encryption Specification AE-1 and AE-2 (WinZip).
	extra, ok := extraField(f.Extra, 0x9901)
	if !ok || len(extra) < 7 || extra[4] < 1 || extra[4] > 3 {
		return sealedMember{}, errorf(UnsupportedMethod, "It is encrypted in a way that is not read; pack the archive anew.")
	}
	s.checked = binary.LittleEndian.Uint16(extra) == 1
	s.key = 8 + 8*int(extra[4])
	s.method = binary.LittleEndian.Uint16(extra[5:])
	return s, nil
}

// open decrypts the bytes, unless it shows that the password is not theirs.
func (s sealedMember) open(f *zip.File, password []byte) ([]byte, bool) {
	if s.key > 0 {
		return s.openAES(password)
	}
	const header = 12
	if len(s.bytes) < header {
		return nil, false
	}
	plain := decryptZIP(s.bytes, password)
	check := byte(f.CRC32 >> 24)
	if f.Flags&zipLate != 0 {
		check = byte(f.ModifiedTime >> 8)
	}
	return plain[header:], plain[header-1] == check
}

func (s sealedMember) openAES(password []byte) ([]byte, bool) {
	const verifier, authentication = 2, 10
	salt := s.key / 2
	if len(s.bytes) < salt+verifier+authentication {
		return nil, false
	}
	keys, err := pbkdf2.Key(sha1.New, string(password), s.bytes[:salt], 1000, 2*s.key+verifier)
	if err != nil || !bytes.Equal(keys[2*s.key:], s.bytes[salt:salt+verifier]) {
		return nil, false
	}
	body, tag := s.bytes[salt+verifier:len(s.bytes)-authentication], s.bytes[len(s.bytes)-authentication:]
	mac := hmac.New(sha1.New, keys[s.key:2*s.key])
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil)[:authentication], tag) {
		return nil, false
	}
	block, err := aes.NewCipher(keys[:s.key])
	if err != nil {
		return nil, false
	}
	return littleEndianCTR(block, body), true
}

// littleEndianCTR decrypts in counter mode, with a counter that begins at 1 and has its lowest byte first.
func littleEndianCTR(block cipher.Block, sealed []byte) []byte {
	plain := make([]byte, len(sealed))
	var counter, pad [aes.BlockSize]byte
	for i := range sealed {
		if i%aes.BlockSize == 0 {
			binary.LittleEndian.PutUint64(counter[:], uint64(i/aes.BlockSize+1))
			block.Encrypt(pad[:], counter[:])
		}
		plain[i] = sealed[i] ^ pad[i%aes.BlockSize]
	}
	return plain
}

// decryptZIP undoes the traditional encryption (APPNOTE.TXT, 6.1).
func decryptZIP(sealed, password []byte) []byte {
	k := [3]uint32{0x12345678, 0x23456789, 0x34567890}
	update := func(b byte) {
		k[0] = crc32.IEEETable[byte(k[0])^b] ^ k[0]>>8
		k[1] = (k[1]+k[0]&0xff)*134775813 + 1
		k[2] = crc32.IEEETable[byte(k[2])^byte(k[1]>>24)] ^ k[2]>>8
	}
	for _, b := range password {
		update(b)
	}
	plain := make([]byte, len(sealed))
	for i, b := range sealed {
		t := k[2]&0xffff | 2
		plain[i] = b ^ byte(t*(t^1)>>8)
		update(plain[i])
	}
	return plain
}

// extraField returns a field of what a member's header has besides.
func extraField(extra []byte, id uint16) ([]byte, bool) {
	for len(extra) >= 4 {
		size := int(binary.LittleEndian.Uint16(extra[2:]))
		if size > len(extra)-4 {
			return nil, false
		}
		if binary.LittleEndian.Uint16(extra) == id {
			return extra[4 : 4+size], true
		}
		extra = extra[4+size:]
	}
	return nil, false
}
