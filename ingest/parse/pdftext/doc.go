// Package pdftext reads the text of a PDF, page by page, as lines with their places on the page. It reads what
// ledongthuc/pdf can open; pdfium, which reads more and starts slowly, is for what comes out suspicious.
package pdftext
