// Package ocr reads pictures of text with tesseract, where that is installed.
package ocr
