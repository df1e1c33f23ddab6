package api

import (
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"strings"

	"grounded/wire"
)

// maxDescribed is how many bytes all parts named document may have.
const maxDescribed = 1 << 20

// describe reads what is said of the next file.
func (u *upload) describe(part *multipart.Part) error {
	if u.next != nil {
		return invalid(wire.PartDocument, "there are two parts named document before a file; send one, for the file that follows")
	}
	text, err := io.ReadAll(io.LimitReader(part, maxDescribed-u.described+1))
	if err != nil {
		return malformed(err)
	}
	if u.described += int64(len(text)); u.described > maxDescribed {
		return invalid(wire.PartDocument, "the parts named document have more than %d bytes; upload fewer files at once", maxDescribed)
	}
	var d wire.Described
	if err := json.Unmarshal(text, &d); err != nil {
		return invalid(wire.PartDocument, `document is no JSON object, such as {"path": "hr/leave.md", "groups": ["hr"]}: %s`, err)
	}
	for i, group := range d.Groups {
		d.Groups[i] = strings.TrimSpace(group)
		if err := u.mayGive(d.Groups[i]); err != nil {
			return err
		}
	}
	u.next = &d
	return noGroups(d.Metadata, "groups beside the metadata")
}

// add takes a file, as the document of its name or of the path that was said.
func (u *upload) add(ctx context.Context, name string, content io.Reader) error {
	var d wire.Described
	if u.next != nil {
		d, u.next = *u.next, nil
	}
	if d.Path != "" {
		_, err := u.submission.AddAt(ctx, d.Path, u.all(d), content)
		return err
	}
	_, err := u.submission.Add(ctx, name, u.all(d), content)
	return err
}

// checkEnd refuses an upload whose last file is missing.
func (u *upload) checkEnd() error {
	if u.next != nil {
		return invalid(wire.PartDocument, "no file follows the last part named document; send the part before its file")
	}
	return nil
}
