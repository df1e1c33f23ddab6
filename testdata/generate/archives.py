"""Makes archives that go wrong in known ways, for awkward/."""

import bz2
import gzip
import io
import struct
import tarfile
import zipfile
import zlib

import pyzipper
import pyzipper.zipfile_aes

ZIP_DATE = (2026, 1, 1, 0, 0, 0)
PASSWORD = "lighthouse"


def entry(name, mode=0o100644):
    info = zipfile.ZipInfo(name, ZIP_DATE)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def packed(members):
    """The bytes of an archive with these names and texts, in their order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for name, data in members:
            z.writestr(entry(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def renamed(data, old, new):
    """The archive with another name of the same length, without the flag that says that names are UTF-8."""
    assert len(old) == len(new) and data.count(old) == 2
    return data.replace(old, new)


def traditional(data, password, check):
    """The traditional encryption (APPNOTE.TXT, 6.1) of packed bytes."""
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0xEDB88320 if i & 1 else 0)
        table.append(i)
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte):
        keys[0] = table[(keys[0] ^ byte) & 255] ^ keys[0] >> 8
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = table[(keys[2] ^ keys[1] >> 24) & 255] ^ keys[2] >> 8

    for byte in password.encode():
        update(byte)
    sealed = bytearray()
    for byte in bytes(range(11)) + bytes([check]) + data:
        k = keys[2] & 0xFFFF | 2
        sealed.append(byte ^ (k * (k ^ 1) >> 8 & 255))
        update(byte)
    return bytes(sealed)


class FixedSalt:
    """In the place of a source of randomness: the same bytes each time. This protects nothing worth protecting."""

    @staticmethod
    def new():
        return FixedSalt()

    def read(self, size):
        return bytes(range(1, size + 1))


def encrypted(target):
    """A member in WinZip's AES, one in the traditional encryption and one in none."""
    pyzipper.zipfile_aes.Random = FixedSalt
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", compression=pyzipper.ZIP_DEFLATED) as z:
        z.setpassword(PASSWORD.encode())
        z.setencryption(pyzipper.WZ_AES, nbits=256)
        z.writestr(pyzipper.zipfile_aes.AESZipInfo("aes-256.txt", ZIP_DATE),
                   "The spare key of weir 9 hangs in the lock keeper's office.\n" * 3, pyzipper.ZIP_DEFLATED)
        z.encryption = None
        z.pwd = None
        z.writestr(pyzipper.zipfile_aes.AESZipInfo("open.txt", ZIP_DATE), "Weir 9 was built in 1911.\n")
    text = b"The alarm code of weir 9 changes on the first Monday.\n" * 3
    target.write_bytes(with_traditional(out.getvalue(), "traditional.txt", text))


def with_traditional(data, name, text):
    """The archive with one member more, encrypted traditionally."""
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = compress.compress(text) + compress.flush()
    crc = zlib.crc32(text)
    sealed = traditional(deflated, PASSWORD, crc >> 24)
    end = data.rindex(b"PK\x05\x06")
    count, size, start = struct.unpack("<HII", data[end + 10:end + 20])
    common = struct.pack("<HHHHHIIIHH", 20, 1, 8, 0, 0x5C21, crc, len(sealed), len(text), len(name), 0)
    local = b"PK\x03\x04" + common + name.encode() + sealed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, start) + name.encode()
    directory = data[start:start + size] + central
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count + 1, count + 1, len(directory), start + len(local), 0)
    return data[:start] + local + directory + tail


def overlapping(target, members=100):
    """Many entries of the directory that are all the same megabyte of one letter, packed to a kilobyte."""
    data = packed([("00000000.txt", b"a" * (1 << 20))])
    end = data.rindex(b"PK\x05\x06")
    size, start = struct.unpack("<II", data[end + 12:end + 20])
    central = data[start:start + size]
    directory = b"".join(central.replace(b"00000000", b"%08d" % i) for i in range(members))
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, members, members, len(directory), start, 0)
    target.write_bytes(data[:start] + directory + tail)


def nested(depth):
    data = b"At the bottom lies the log of the diving bell.\n"
    name = "log.txt"
    for level in range(depth):
        data, name = packed([(name, data)]), f"{depth - level}.zip"
    return data


def unsafe(target):
    """Names that lead out of the folder, that are not allowed on some system, and that are there twice."""
    data = packed([
        ("../../outside.txt", "The outer buoy is green.\n"),
        ("/rooted.txt", "The inner buoy is red.\n"),
        ("C:\\depot\\drive.txt", "The depot keeps four spare lamps.\n"),
        ("marked!/folder.txt", "The marked folder is an ordinary one.\n"),
        ("nul#name.txt", "The name of this file has a zero byte in it.\n"),
        ("twice.txt", "The first of two files of one name.\n"),
        ("twIce.txt", "The second of two files of one name.\n"),
        (".hidden.txt", "Nobody asked for hidden files.\n"),
        ("__MACOSX/._twice.txt", "Nor for those that a system leaves.\n"),
    ])
    data = renamed(data, b"nul#name", b"nul\0name")
    target.write_bytes(renamed(data, b"twIce", b"twice"))


def links(target):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr(entry("shadow.txt", 0o120777), "/etc/shadow")
        z.writestr(entry("plain.txt"), "Berth 3 has shore power of 63 amperes.\n")
    target.write_bytes(out.getvalue())


def names(target, charset, name):
    """A name in the charset of the machine that packed it, which nothing in the archive tells."""
    encoded = name.encode(charset)
    stand_in = "n" * len(encoded)
    data = packed([(stand_in + ".txt", "The harbour office is closed on Sundays.\n")])
    target.write_bytes(renamed(data, stand_in.encode(), encoded))


def tape(target):
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as t:
        for name, text in [("./tide/table.txt", "High water at Ponta Fria is at 04:12.\n"), ("../up.txt", "The tide pole has a red top.\n")]:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(text), 1767225600
            t.addfile(info, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        t.addfile(link)


def write(folder):
    encrypted(folder / "encrypted.zip")
    overlapping(folder / "overlapping.zip")
    (folder / "nested.zip").write_bytes(nested(6))
    unsafe(folder / "unsafe-names.zip")
    links(folder / "links.zip")
    names(folder / "gb18030-names.zip", "gb18030", "码头值班表")
    names(folder / "shift-jis-names.zip", "shift_jis", "港の時刻表")
    names(folder / "cp437-names.zip", "cp437", "Größe der Schlüssel")

    ordinary = packed([("first.txt", "Crane 2 lifts twelve tonnes.\n" * 20), ("second.txt", "Crane 3 lifts eight tonnes.\n" * 20)])
    (folder / "truncated.zip").write_bytes(ordinary[: len(ordinary) // 2])
    first = ordinary.index(b"first.txt") + len(b"first.txt")
    (folder / "damaged-member.zip").write_bytes(ordinary[:first] + b"\xff" * 20 + ordinary[first + 20:])
    (folder / "empty.zip").write_bytes(packed([]))

    tape(folder / "tape.tar")
    (folder / "log.txt.gz").write_bytes(gzip.compress(b"The diving bell was last used in 2019.\n", mtime=0))
    (folder / "tape.tar.bz2").write_bytes(bz2.compress((folder / "tape.tar").read_bytes()))
    (folder / "tape-cut-off.tgz").write_bytes(gzip.compress((folder / "tape.tar").read_bytes(), mtime=0)[:-60])
    (folder / "bomb.gz").write_bytes(gzip.compress(bytes(80 << 20), mtime=0))
