// Package parse turns a file into a structured document: pages of blocks such as headings, paragraphs and table
// rows, in reading order and normalised. A format is one file of the package. Files are not trusted: Pool parses
// them in child processes with limits on memory, time and output, so that a bad file costs only itself.
package parse
