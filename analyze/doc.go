// Package analyze turns text into what search and citation checking work with: terms for lexical search,
// sentences, and the language. It knows no documents and keeps no state; every function takes any string,
// valid UTF-8 or not, in time linear in its length.
package analyze

// Version names the rules of this package. It belongs in a document's pipeline fingerprint: terms made under
// another version are not comparable with a query's.
const Version = "1"
