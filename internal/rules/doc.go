// Package rules holds the rules of the house that a parser can check: which
// room may import which, and what is called nowhere. Its test reads the source.
package rules
