package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
)

var (
	//go:embed docs/page.html
	docsPage []byte
	//go:embed docs/page.css
	docsStyle []byte
	//go:embed docs/page.js
	docsScript []byte
)

// docs is the page that shows the contract: one file, and the policy that lets a browser run just what is in it.
type docs struct {
	page   []byte
	policy string
}

func newDocs() docs {
	page := bytes.Replace(docsPage, []byte("{{style}}"), docsStyle, 1)
	page = bytes.Replace(page, []byte("{{script}}"), docsScript, 1)
	return docs{page, "default-src 'none'; script-src " + hashSource(docsScript) + "; style-src " + hashSource(docsStyle) +
		"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"}
}

// hashSource allows one text, as Content Security Policy has it.
func hashSource(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// showDocs is GET /docs.
func (s *Server) showDocs(k *call) error {
	k.echo.Response().Header().Set("Content-Security-Policy", s.docs.policy)
	return k.echo.Blob(http.StatusOK, "text/html; charset=utf-8", s.docs.page)
}
